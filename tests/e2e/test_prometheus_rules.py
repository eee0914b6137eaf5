# SPDX-License-Identifier: GPL-2.0-or-later
"""rules/prometheus and docs/grafana: rules do what they say, and all expressions ask for what the program prints."""

import json
import re
import subprocess

import pytest
import yaml
from lab.meter import PROGRAM, ROOT

RULES = sorted((ROOT / "rules/prometheus").glob("*.rules.yml"))
TESTS = sorted((ROOT / "tests/prometheus").glob("*.yml"))
DASHBOARD = ROOT / "docs/grafana/hostmeter.json"

# What Prometheus adds to every sample of a target, and the one metric that it makes itself.
TARGET_LABELS = {"job", "instance"}
OF_PROMETHEUS = {"up"}

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
STRING = r'"(?:[^"\\]|\\.)*"'
MATCHER = re.compile(rf"\s*({NAME})\s*(=~|!~|!=|=)\s*({STRING})\s*,?")
# A name, not one of a function, with what it selects by; grouping clauses and ranges are taken out before.
SELECTOR = re.compile(rf"(?<![\w:.])({NAME})(?![\w:])(?!\s*\()\s*(\{{(?:[^}}\"]|{STRING})*\}})?")
GROUPING = re.compile(r"\b(by|without|on|ignoring|group_left|group_right)\s*\(([^()]*)\)")
ARGUMENT = re.compile(rf"[(,]\s*{STRING}(?=\s*[,)])")
COUNTED = re.compile(r'count_values\s*\("(\w+)"')
WORDS = {"and", "or", "unless", "bool", "offset", "group_left", "group_right", "inf", "nan"}


class Families:
    """{family: {label: set of values}} of a page; a family without samples has no labels."""

    def __init__(self, page):
        self.labels = {name: {} for name in re.findall(r"^# TYPE (\S+)", page, re.MULTILINE)}
        for name, text in re.findall(rf"^({NAME})\{{(.*)\}} \S+$", page, re.MULTILINE):
            for label, value in re.findall(rf"({NAME})=({STRING})", text):
                self.labels[name].setdefault(label, set()).add(json.loads(value))


def selectors(expression):
    """[(metric, [(label, operator, value)])] and the labels of the grouping clauses of a PromQL expression."""
    grouped = set(re.findall(NAME, ",".join(clause for _, clause in GROUPING.findall(expression))))
    bare = re.sub(r"\[[^\]\"]*\]", "", GROUPING.sub(" ", expression))
    found = []
    for name, braces in SELECTOR.findall(ARGUMENT.sub("(", bare)):
        if name not in WORDS:
            found.append((name, [(label, op, json.loads(value)) for label, op, value in MATCHER.findall(braces)]))
    return found, grouped


def complaints(expression, families, recorded):
    """What an expression asks for that nobody gives."""
    found, grouped = selectors(expression)
    have, wrong = TARGET_LABELS | set(COUNTED.findall(expression)), [] if found else ["no metric in it"]
    for name, matchers in found:
        if name in OF_PROMETHEUS:
            continue
        labels = recorded.get(name, families.labels.get(name))
        if labels is None:
            wrong.append(f"no metric {name}")
            continue
        have |= set(labels)
        for label, operator, value in matchers:
            values = labels.get(label)
            if label not in labels and label not in TARGET_LABELS:
                wrong.append(f"{name} has no label {label}")
            elif values and "$" not in value and operator in ("=", "=~"):
                wrong += [f"{name} has no {label}={one}" for one in value.split("|") if one not in values]
    wrong += [f"grouped by {label}, which nothing in it has" for label in grouped - have]
    return wrong


@pytest.fixture(scope="module")
def families():
    page = subprocess.run([PROGRAM, "--config", "tests/traces/home.conf", "--replay", "tests/traces/home.pcap"],
                          cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return Families(page)


def all_rules():
    return [rule for path in RULES for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]]


def recorded_rules():
    """{name: {label: None}}: the labels that an expression groups by are those of what it records."""
    return {rule["record"]: dict.fromkeys(TARGET_LABELS.union(selectors(rule["expr"])[1], COUNTED.findall(rule["expr"])))
            for rule in all_rules() if "record" in rule}


def all_recorded():
    """The same, with the labels that rules made of rules take over."""
    recorded = recorded_rules()
    for rule in all_rules():
        if "record" in rule and not re.search(r"\bby\b", rule["expr"]):
            for name, _ in selectors(rule["expr"])[0]:
                recorded[rule["record"]] |= recorded.get(name, {})
    return recorded


def dashboard_expressions():
    """[(where, expression)] of the panels, the annotations and the variables."""
    board = json.loads(DASHBOARD.read_text())
    rows = [(panel["title"], target["expr"]) for panel in board["panels"] for target in panel.get("targets", [])]
    rows += [(note["name"], note["expr"]) for note in board["annotations"]["list"]]
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            metric, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["definition"]).groups()
            rows.append((variable["name"], f"count by ({label}) ({metric})"))
    return rows


# --- The rules

def test_promtool_reads_the_rules():
    assert RULES
    done = subprocess.run(["promtool", "check", "rules", *RULES], capture_output=True, text=True)
    assert done.returncode == 0 and "SUCCESS" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_rules_do_what_they_say(path):
    done = subprocess.run(["promtool", "test", "rules", path], capture_output=True, text=True)
    assert done.returncode == 0 and "SUCCESS" in done.stdout, done.stdout + done.stderr


def test_every_rule_is_tested():
    """An alert fires in one test and does not in another; a recorded series is compared with figures."""
    fires, silent, compared = set(), set(), ""
    for path in TESTS:
        for case in yaml.safe_load(path.read_text())["tests"]:
            for row in case.get("alert_rule_test", []):
                (fires if row["exp_alerts"] else silent).add(row["alertname"])
            compared += "".join(row["expr"] + "\n" for row in case.get("promql_expr_test", []) if row["exp_samples"])
    alerts = {rule["alert"] for rule in all_rules() if "alert" in rule}
    assert fires == silent == alerts and len(alerts) >= 10
    untested = {name for name in recorded_rules() if not re.search(rf"(?<![\w:]){name}(?![\w:])", compared)}
    assert untested == set()


def test_rules_ask_for_what_there_is(families):
    recorded = all_recorded()
    wrong = {rule.get("record") or rule["alert"]: complaints(rule["expr"], families, recorded) for rule in all_rules()}
    assert {name: text for name, text in wrong.items() if text} == {}
    assert len(wrong) >= 20


# --- The dashboard

def test_dashboard_asks_for_what_there_is(families):
    recorded = all_recorded()
    rows = dashboard_expressions()
    wrong = [(where, text) for where, expression in rows for text in complaints(expression, families, recorded)]
    assert wrong == [] and len(rows) >= 40


def test_dashboard_is_parsed_by_promtool(tmp_path):
    """Prometheus itself reads each expression, once Grafana's variables have values."""
    values = {"$__rate_interval": "1m", "$__range": "6h", "$job": "hostmeter", "$instance": "a", "$host": "desktop"}
    rules = []
    for number, (_, expression) in enumerate(dashboard_expressions()):
        for name, value in values.items():
            expression = expression.replace(name, value)
        assert "$" not in expression
        rules.append({"record": f"panel:{number}:expression", "expr": expression})
    (tmp_path / "panels.yml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    done = subprocess.run(["promtool", "check", "rules", tmp_path / "panels.yml"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_dashboard_has_its_variables():
    board = json.loads(DASHBOARD.read_text())
    assert [variable["name"] for variable in board["templating"]["list"]] == ["datasource", "job", "instance", "host"]
    panels = [panel for panel in board["panels"] if panel["type"] != "row"]
    assert len(panels) >= 20
    for panel in panels:
        assert all(target["datasource"]["uid"] == "${datasource}" for target in panel["targets"]), panel["title"]
        assert all('job=~"$job"' in target["expr"] and 'instance=~"$instance"' in target["expr"]
                   for target in panel["targets"]), panel["title"]
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))


def test_the_check_can_complain(families):
    for expression, text in (("rate(host_octets_total[5m])", "no metric host_octets_total"),
                             ('hostmeter_source_up{source="pigeon"}', "hostmeter_source_up has no source=pigeon"),
                             ('host_bytes_total{colour="red"}', "host_bytes_total has no label colour"),
                             ("sum by (colour) (host_bytes_total)", "grouped by colour, which nothing in it has"),
                             ("1 + 1", "no metric in it")):
        assert complaints(expression, families, {}) == [text]


# --- The page

def test_page_tells_of_every_rule(families):
    page = (ROOT / "docs/prometheus.md").read_text()
    table = page[page.index("## Rules"):page.index("## Grafana")]
    assert set(re.findall(r"`(\w+(?::\w+)+)`", table)) == set(recorded_rules())
    assert set(re.findall(r"`(Hostmeter\w+)`", table)) == {rule["alert"] for rule in all_rules() if "alert" in rule}
    asked = re.findall(r"^\| [^|`]+ \| `([^`|]+)` \|$", page, re.MULTILINE)
    assert len(asked) == 5
    assert [text for expression in asked for text in complaints(expression, families, all_recorded())] == []

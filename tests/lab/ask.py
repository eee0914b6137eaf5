# SPDX-License-Identifier: GPL-2.0-or-later
"""HTTP by curl(1) from a node: who gets an answer, and who does not."""


def curl(node, url, *options):
    """(exit status of curl, HTTP status, body)."""
    done = node.run("curl", "-sSg", "--max-time", "10", "-w", "\n%{http_code}", *options, url, check=False)
    body, _, status = done.stdout.rpartition("\n")
    return done.returncode, int(status or 0), body


def answered(node, url, *options):
    code, status, body = curl(node, url, *options)
    assert (code, status) == (0, 200), (url, code, status, body)
    return body


def closed(node, url, *options):
    """Connected, and closed without a byte: curl's 52 (empty reply) or 56 (reset)."""
    code, status, body = curl(node, url, *options)
    assert status == 0 and not body and code in (52, 56), (url, code, status, body)

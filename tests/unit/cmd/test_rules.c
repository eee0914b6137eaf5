/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/cmd/cmd.h"
#include "hostmeter/config/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The files that the program carries inside, from the top of the tree, or beside where HOSTMETER_TESTS points. */
static void add_file(struct buf *out, const char *name)
{
	const char *tests = getenv("HOSTMETER_TESTS");
	char path[4096], chunk[4096];
	FILE *file;
	size_t got;

	snprintf(path, sizeof(path), "%s/../rules/%s", tests ? tests : "tests", name);
	file = fopen(path, "r");
	if (!file)
		fail_msg("cannot open %s: run from the top of the tree, or set HOSTMETER_TESTS", path);
	while ((got = fread(chunk, 1, sizeof(chunk), file)))
		buf_add(out, chunk, got);
	fclose(file);
}

static struct buf file_of(const char *kind)
{
	struct buf out = BUF_INIT;
	char name[64];

	snprintf(name, sizeof(name), "hostmeter.%s", kind);
	add_file(&out, name);
	buf_putc(&out, '\0');
	assert_int_equal(out.error, 0);
	return out;
}

static int print(struct buf *out, const char *kind, uint16_t group)
{
	const struct config config = { .rules = (char *)kind, .nflog_group = group };

	return cmd_print_rules(&config, out);
}

static struct buf rules_of(const char *kind, uint16_t group)
{
	struct buf out = BUF_INIT;

	assert_int_equal(print(&out, kind, group), CMD_OK);
	buf_putc(&out, '\0');
	assert_int_equal(out.error, 0);
	return out;
}

static void the_default_group_gives_the_files(void **state)
{
	static const char *const kinds[] = { "nft", "iptables" };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct buf want = file_of(kinds[i]), got = rules_of(kinds[i], 60);

		assert_string_equal(got.data, want.data);
		buf_free(&want);
		buf_free(&got);
	}
}

/* Both texts, line by line: only the number after this word may differ. Returns how often it did. */
static int differences(const char *file, const char *got, const char *word, const char *group)
{
	int count = 0;

	while (*file && *file == *got) {
		if (!strncmp(file, word, strlen(word))) {
			file += strlen(word);
			got += strlen(word);
			assert_memory_equal(file, "60", 2);
			assert_memory_equal(got, group, strlen(group));
			file += 2;
			got += strlen(group);
			count++;
			continue;
		}
		file++;
		got++;
	}
	assert_string_equal(got, file);
	return count;
}

static void only_the_group_is_replaced(void **state)
{
	static const struct {
		const char *kind, *word;
		int times;
	} cases[] = { { "nft", " log group ", 2 }, { "iptables", " --nflog-group ", 2 } };
	static const struct {
		uint16_t number;
		const char *text;
	} groups[] = { { 7, "7" }, { 0, "0" }, { 65535, "65535" } };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct buf file = file_of(cases[i].kind);

		for (int j = 0; j < 3; j++) {
			struct buf got = rules_of(cases[i].kind, groups[j].number);

			assert_int_equal(differences(file.data, got.data, cases[i].word, groups[j].text),
				cases[i].times);
			buf_free(&got);
		}
		buf_free(&file);
	}
}

static const char *skip_comments(const char *text)
{
	while (*text == '#' || *text == '\n') {
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	return text;
}

/* One text for iptables-restore and ip6tables-restore: the two files differ in their comments only. */
static void both_families_have_the_same_rules(void **state)
{
	struct buf four = file_of("iptables"), six = file_of("ip6tables");
	const char *rules = skip_comments(four.data);

	(void)state;
	assert_memory_equal(rules, "*mangle\n", 8);
	assert_string_equal(rules, skip_comments(six.data));
	assert_null(strchr(rules, '#'));
	buf_free(&four);
	buf_free(&six);
}

static void it_is_appended(void **state)
{
	struct buf out = BUF_INIT;

	(void)state;
	buf_puts(&out, "before\n");
	assert_int_equal(print(&out, "nft", 60), CMD_OK);
	assert_memory_equal(out.data, "before\n#!/usr/sbin/nft -f\n", 26);
	buf_free(&out);
}

static void other_kinds_are_refused(void **state)
{
	struct buf out = BUF_INIT;

	(void)state;
	assert_int_equal(print(&out, "pf", 60), CMD_USAGE);
	assert_int_equal(print(&out, "", 60), CMD_USAGE);
	assert_int_equal(out.len, 0);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_default_group_gives_the_files),
		cmocka_unit_test(only_the_group_is_replaced),
		cmocka_unit_test(both_families_have_the_same_rules),
		cmocka_unit_test(it_is_appended),
		cmocka_unit_test(other_kinds_are_refused),
	};

	return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}

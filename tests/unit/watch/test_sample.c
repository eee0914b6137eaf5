/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Samples made piece by piece: which address is whose, texts cut to their size, nothing left after clearing. */
#include "hostmeter/watch/sample.h"

#include "watch_samples.h"

static void addresses_are_of_the_host_added_last(void **state)
{
	struct watch_sample s = { 0 };

	(void)state;
	put_host(&s, "a", "", 1, 2, 3, 4);
	assert_int_equal(watch_sample_add_address(&s, "10.0.0.1"), 0);
	assert_int_equal(watch_sample_add_address(&s, "2001:db8::1"), 0);
	put_host(&s, "b", "", 0, 0, 0, 0);
	put_host(&s, "c", "", 0, 0, 0, 0);
	assert_int_equal(watch_sample_add_address(&s, "10.0.0.3"), 0);
	assert_int_equal(s.hosts, 3);
	assert_int_equal(s.addresses, 3);
	assert_int_equal(s.host[0].address, 0);
	assert_int_equal(s.host[0].addresses, 2);
	assert_int_equal(s.host[1].address, 2);
	assert_int_equal(s.host[1].addresses, 0);
	assert_int_equal(s.host[2].address, 2);
	assert_int_equal(s.host[2].addresses, 1);
	assert_string_equal(s.address[0], "10.0.0.1");
	assert_string_equal(s.address[1], "2001:db8::1");
	assert_string_equal(s.address[s.host[2].address], "10.0.0.3");
	assert_int_equal(s.host[0].bytes[WATCH_IPV6][WATCH_UP], 4);
	watch_sample_clear(&s);
}

static void what_is_added_is_zeroed(void **state)
{
	static const struct watch_sample_host no_host;
	static const struct watch_sample_link no_link;
	struct watch_sample s = { 0 };

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct watch_sample_host *host = watch_sample_add_host(&s);
		struct watch_sample_link *link = watch_sample_add_link(&s);

		assert_memory_equal(host, &no_host, sizeof(no_host));
		assert_memory_equal(link, &no_link, sizeof(no_link));
		/* What the list keeps for later elements must not show through. */
		memset(host->label, 'x', sizeof(host->label) - 1);
		link->bytes[WATCH_DOWN] = 7;
	}
	assert_ptr_equal(watch_sample_add_link(&s), &s.link[3]);
	assert_int_equal(s.links, 4);
	watch_sample_clear(&s);
}

static void texts_are_cut(void **state)
{
	struct watch_sample s = { 0 };
	char text[2 * WATCH_WARNING];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	put_host(&s, "a", "", 0, 0, 0, 0);
	assert_int_equal(watch_sample_add_address(&s, text), 0);
	assert_int_equal(strlen(s.address[0]), ADDR_TEXT - 1);
	assert_int_equal(watch_sample_add_warning(&s, text), 0);
	assert_int_equal(watch_sample_add_warning(&s, "50 %s"), 0);
	assert_int_equal(s.warnings, 2);
	assert_int_equal(strlen(s.warning[0]), WATCH_WARNING - 1);
	assert_string_equal(s.warning[1], "50 %s");
	watch_sample_clear(&s);
}

static void lists_grow(void **state)
{
	struct watch_sample s = { 0 };
	char text[32];

	(void)state;
	for (unsigned int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "%u", i);
		put_host(&s, text, "", i, 0, 0, 0);
		put_link(&s, text, i, 0);
		watch_sample_add_address(&s, text);
		watch_sample_add_warning(&s, text);
	}
	assert_int_equal(s.hosts, 1000);
	assert_int_equal(s.links, 1000);
	for (unsigned int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "%u", i);
		assert_string_equal(s.host[i].label, text);
		assert_string_equal(s.link[i].name, text);
		assert_string_equal(s.address[s.host[i].address], text);
		assert_string_equal(s.warning[i], text);
	}
	watch_sample_clear(&s);
}

static void clearing_leaves_it_empty(void **state)
{
	static const struct watch_sample nothing;
	struct watch_sample s = sample_at(T0);

	(void)state;
	put_host(&s, "a", "", 0, 0, 0, 0);
	put_link(&s, "wan", 0, 0);
	watch_sample_add_address(&s, "10.0.0.1");
	watch_sample_add_warning(&s, "lost");
	for (int i = 0; i < 2; i++) {
		watch_sample_clear(&s);
		assert_memory_equal(&s, &nothing, sizeof(s));
	}
	/* It can be filled again. */
	assert_int_equal(put_host(&s, "b", "", 0, 0, 0, 0)->address, 0);
	watch_sample_clear(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_of_the_host_added_last),
		cmocka_unit_test(what_is_added_is_zeroed),
		cmocka_unit_test(texts_are_cut),
		cmocka_unit_test(lists_grow),
		cmocka_unit_test(clearing_leaves_it_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

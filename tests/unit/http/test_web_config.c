/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the file of --web.config.file may say, and each mistake with its line. */
#include "web_config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HASH "$2y$10$mDwo.lAisC94iLAyP81MCesa29IzH37oigHC/42V2pdJlUprsJPze"
#define TLS "tls_server_config:\n  cert_file: a.crt\n  key_file: a.key\n"

static struct web_config parse(const char *text)
{
	struct web_config config;
	struct web_config_fault fault = { 0 };

	if (web_config_parse(&config, "/etc/hostmeter/web.yml", text, strlen(text), &fault))
		fail_msg("line %d: %s", fault.line, fault.text);
	return config;
}

static void nothing_asks_for_nothing(void **state)
{
	static const char *const texts[] = { "", "# only a comment\n", "{}\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct web_config config = parse(texts[i]);

		assert_int_equal(config.tls_line, 0);
		assert_int_equal(config.users, 0);
		web_config_clear(&config);
	}
}

static void all_keys(void **state)
{
	struct web_config config = parse("# TLS and passwords\n"
					 "tls_server_config:\n"
					 "  cert_file: server.crt\n"
					 "  key_file: \"/etc/ssl/private/server key.pem\"\n"
					 "  client_auth_type: RequireAndVerifyClientCert\n"
					 "\n"
					 "  client_ca_file: ca/clients.crt\n"
					 "  min_version: TLS12\n"
					 "  max_version: TLS13\n"
					 "basic_auth_users:\n"
					 "  alice: " HASH "\n"
					 "  'bob smith': '" HASH "'\n");

	(void)state;
	assert_string_equal(config.cert_file.text, "/etc/hostmeter/server.crt");
	assert_string_equal(config.key_file.text, "/etc/ssl/private/server key.pem");
	assert_string_equal(config.client_ca_file.text, "/etc/hostmeter/ca/clients.crt");
	assert_int_equal(config.cert_file.line, 3);
	assert_int_equal(config.key_file.line, 4);
	assert_int_equal(config.client_ca_file.line, 7);
	assert_int_equal(config.client, WEB_CLIENT_VERIFY);
	assert_int_equal(config.min_version, 12);
	assert_int_equal(config.max_version, 13);
	assert_int_equal(config.users, 2);
	assert_string_equal(config.user[0].name, "alice");
	assert_string_equal(config.user[0].hash, HASH);
	assert_string_equal(config.user[1].name, "bob smith");
	web_config_clear(&config);
}

static void client_auth_types(void **state)
{
	static const struct {
		const char *word;
		bool verifies;
	} types[] = {
		{ "NoClientCert", false },
		{ "RequestClientCert", false },
		{ "RequireAnyClientCert", false },
		{ "VerifyClientCertIfGiven", true },
		{ "RequireAndVerifyClientCert", true },
	};
	char text[256];

	(void)state;
	for (int i = 0; i < 5; i++) {
		struct web_config config;

		snprintf(text, sizeof(text), TLS "  client_auth_type: %s\n%s", types[i].word,
			types[i].verifies ? "  client_ca_file: ca\n" : "");
		config = parse(text);
		assert_int_equal(config.client, i);
		assert_int_equal(config.min_version, 0);
		web_config_clear(&config);
	}
}

static void a_file_in_the_current_directory(void **state)
{
	struct web_config config;
	struct web_config_fault fault;

	(void)state;
	assert_int_equal(web_config_parse(&config, "web.yml", TLS, strlen(TLS), &fault), 0);
	assert_string_equal(config.cert_file.text, "a.crt");
	web_config_clear(&config);
}

static void mistakes(void **state)
{
	static const struct {
		const char *text;
		int line;
		const char *fault;
	} cases[] = {
		{ "tls_server_confg: {}\n", 1, "unknown key \"tls_server_confg\"" },
		{ "\nrate_limit:\n  burst: 5\n", 2, "rate_limit is not supported by hostmeter" },
		{ "http_server_config:\n  http2: true\n", 1, "http_server_config is not supported by hostmeter" },
		{ "- a\n- b\n", 1, "keys with values are expected here" },
		{ "nonsense\n", 1, "keys with values are expected here" },
		{ "---\n...\n", 2, "keys with values are expected here" },
		{ "? [a]\n: b\n", 1, "a key: a text is expected here" },
		{ "tls_server_config: yes\n", 1, "tls_server_config: keys with values are expected here" },
		{ "tls_server_config:\n", 1, "tls_server_config: keys with values are expected here" },
		{ "tls_server_config: {}\n", 1, "tls_server_config is empty" },
		{ "tls_server_config:\n  cert_file: a\n", 1, "tls_server_config needs key_file" },
		{ "#\ntls_server_config:\n  key_file: a\n", 2, "tls_server_config needs cert_file" },
		{ "tls_server_config:\n  cert_file: a\n  keyfile: b\n", 3, "unknown key \"keyfile\"" },
		{ TLS "  cipher_suites: [A]\n", 4, "cipher_suites is not supported by hostmeter" },
		{ TLS "  cert: |\n    PEM\n", 4, "cert is not supported by hostmeter" },
		{ TLS "  cert_file: b\n", 4, "\"cert_file\" is given twice" },
		{ TLS "tls_server_config: {}\n", 4, "\"tls_server_config\" is given twice" },
		{ "tls_server_config:\n  cert_file:\n  key_file: b\n", 2, "cert_file has no value" },
		{ "tls_server_config:\n  cert_file: ~\n", 2, "cert_file has no value" },
		{ "tls_server_config:\n  cert_file: \"\"\n", 2, "cert_file has no value" },
		{ "tls_server_config:\n  cert_file: [a, b]\n", 2, "cert_file: a text is expected here" },
		{ "tls_server_config:\n  cert_file:\n    a: b\n", 3, "cert_file: a text is expected here" },
		{ "tls_server_config:\n  cert_file: !!binary aGk=\n", 2,
			"cert_file: the tag \"tag:yaml.org,2002:binary\" is not supported" },
		{ "tls_server_config:\n  cert_file: \"a\\0b\"\n", 2, "cert_file has a NUL in it" },
		{ TLS "  client_auth_type: Maybe\n", 4, "client_auth_type: \"Maybe\" is none that is known" },
		{ TLS "  client_auth_type: RequireAndVerifyClientCert\n", 1,
			"this client_auth_type needs client_ca_file" },
		{ TLS "  client_auth_type: VerifyClientCertIfGiven\n", 1,
			"this client_auth_type needs client_ca_file" },
		{ TLS "  client_ca_file: ca\n", 4,
			"client_ca_file is for a client_auth_type that verifies: "
			"VerifyClientCertIfGiven or RequireAndVerifyClientCert" },
		{ TLS "  client_ca_file: ca\n  client_auth_type: RequireAnyClientCert\n", 4,
			"client_ca_file is for a "
			"client_auth_type that verifies: VerifyClientCertIfGiven or RequireAndVerifyClientCert" },
		{ TLS "  min_version: TLS10\n", 4, "min_version: TLS10 is broken and not supported: TLS12 or TLS13" },
		{ TLS "  max_version: TLS11\n", 4, "max_version: TLS11 is broken and not supported: TLS12 or TLS13" },
		{ TLS "  min_version: 1.2\n", 4, "min_version: \"1.2\" is none that is known" },
		{ TLS "  min_version: TLS13\n  max_version: TLS12\n", 1, "min_version is above max_version" },
		{ "basic_auth_users:\n", 1, "basic_auth_users: keys with values are expected here" },
		{ "basic_auth_users: {}\n", 1, "basic_auth_users is empty" },
		{ "basic_auth_users: [alice]\n", 1, "basic_auth_users: keys with values are expected here" },
		{ "basic_auth_users:\n  alice: secret\n", 2,
			"the password of user \"alice\" is no bcrypt hash ($2y$10$...): make one with htpasswd -nB" },
		{ "basic_auth_users:\n  a: " HASH "\n  b: " HASH "x\n", 3,
			"the password of user \"b\" is no bcrypt hash ($2y$10$...): make one with htpasswd -nB" },
		{ "basic_auth_users:\n  a: $2x$10$mDwo.lAisC94iLAyP81MCesa29IzH37oigHC/42V2pdJlUprsJPze\n", 2,
			"the password of user \"a\" is no bcrypt hash ($2y$10$...): make one with htpasswd -nB" },
		{ "basic_auth_users:\n  a: $2y$10$mDwo.lAisC94iLAyP81MCesa29IzH37oigHC_42V2pdJlUprsJPze\n", 2,
			"the password of user \"a\" is no bcrypt hash ($2y$10$...): make one with htpasswd -nB" },
		{ "basic_auth_users:\n  a: $2y$03$mDwo.lAisC94iLAyP81MCesa29IzH37oigHC/42V2pdJlUprsJPze\n", 2,
			"the password of user \"a\" has a bcrypt cost below 4" },
		{ "basic_auth_users:\n  a: $2y$17$mDwo.lAisC94iLAyP81MCesa29IzH37oigHC/42V2pdJlUprsJPze\n", 2,
			"the password of user \"a\" has a bcrypt cost above 16, which would take too long" },
		{ "basic_auth_users:\n  a: " HASH "\n  a: " HASH "\n", 3, "\"a\" is given twice" },
		{ "basic_auth_users:\n  alice:\n", 2, "the user's hash has no value" },
		{ "basic_auth_users:\n  alice:\n    - " HASH "\n", 3, "the user's hash: a text is expected here" },
		{ "basic_auth_users:\n  \"a:b\": " HASH "\n", 2,
			"user \"a:b\" has a colon or a control character in it, which no client can send" },
		{ "basic_auth_users:\n  \"a\\nb\": " HASH "\n", 2,
			"user \"a\nb\" has a colon or a control character in it, which no client can send" },
		{ "basic_auth_users:\n  \"\": " HASH "\n", 2, "basic_auth_users has no value" },
		{ "a: b\n  c: d\n", 2, "is not YAML: mapping values are not allowed in this context" },
		{ "tls_server_config: {\n", 2, "is not YAML: did not find expected node content" },
		{ "tls_server_config:\n\tcert_file: a\n", 2,
			"is not YAML: found character that cannot start any token" },
		{ "a: *b\n", 1, "is not YAML: found undefined alias" },
		{ "a: \xff\xfe\n", 0, "is not YAML: invalid leading UTF-8 octet" },
		{ "{}\n---\n{}\n", 3, "a second document begins here" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct web_config config;
		struct web_config_fault fault = { 0 };

		assert_int_equal(web_config_parse(&config, "/web.yml", cases[i].text, strlen(cases[i].text), &fault),
			-EINVAL);
		assert_string_equal(fault.text, cases[i].fault);
		if (fault.line != cases[i].line)
			fail_msg("%s: line %d, not %d", cases[i].text, fault.line, cases[i].line);
	}
}

static void limits(void **state)
{
	char *text = malloc(WEB_CONFIG_BYTES + 2);
	struct web_config_fault fault = { 0 };
	struct web_config config;
	size_t len = 0;

	(void)state;
	memset(text, '#', WEB_CONFIG_BYTES + 1);
	assert_int_equal(web_config_parse(&config, "/web.yml", text, WEB_CONFIG_BYTES, &fault), 0);
	web_config_clear(&config);
	assert_int_equal(web_config_parse(&config, "/web.yml", text, WEB_CONFIG_BYTES + 1, &fault), -EINVAL);
	assert_string_equal(fault.text, "is larger than 64 KiB");
	assert_int_equal(fault.line, 0);

	len = (size_t)sprintf(text, "basic_auth_users:\n");
	for (int i = 0; i < WEB_CONFIG_USERS; i++)
		len += (size_t)sprintf(text + len, "  u%d: %s\n", i, HASH);
	config = parse(text);
	assert_int_equal(config.users, WEB_CONFIG_USERS);
	web_config_clear(&config);
	len += (size_t)sprintf(text + len, "  more: %s\n", HASH);
	assert_int_equal(web_config_parse(&config, "/web.yml", text, len, &fault), -EINVAL);
	assert_string_equal(fault.text, "more than 256 users");
	assert_int_equal(fault.line, WEB_CONFIG_USERS + 2);

	len = (size_t)sprintf(text, "basic_auth_users:\n  ");
	memset(text + len, 'n', WEB_CONFIG_NAME + 1);
	len += WEB_CONFIG_NAME;
	sprintf(text + len, ": %s\n", HASH);
	config = parse(text);
	assert_int_equal(strlen(config.user[0].name), WEB_CONFIG_NAME);
	web_config_clear(&config);
	sprintf(text + len, "n: %s\n", HASH);
	assert_int_equal(web_config_parse(&config, "/web.yml", text, strlen(text), &fault), -EINVAL);
	assert_non_null(strstr(fault.text, "is longer than 255 bytes"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_asks_for_nothing),
		cmocka_unit_test(all_keys),
		cmocka_unit_test(client_auth_types),
		cmocka_unit_test(a_file_in_the_current_directory),
		cmocka_unit_test(mistakes),
		cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that do and files that do not, and who gets through a handshake. */
#include "tls.h"

#include "pem.h"
#include "scratch_dir.h"
#include "web_config.h"

#include <errno.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

enum { CERT_LINE = 11, KEY_LINE, CLIENT_CA_LINE };

static struct web_config files(void **state, const char *cert, const char *key, const char *ca)
{
	return (struct web_config){
		.cert_file = { (char *)scratch_path(state, cert), CERT_LINE, "cert_file" },
		.key_file = { (char *)scratch_path(state, key), KEY_LINE, "key_file" },
		.client_ca_file = { ca ? (char *)scratch_path(state, ca) : NULL, CLIENT_CA_LINE, "client_ca_file" },
		.client = ca ? WEB_CLIENT_VERIFY_IF_GIVEN : WEB_CLIENT_NONE,
	};
}

static struct tls *load(const struct web_config *config)
{
	struct web_config_fault fault = { 0 };
	struct tls *tls;

	if (tls_new(&tls, config, &fault))
		fail_msg("%d: %s", fault.line, fault.text);
	return tls;
}

static void write_files(void **state)
{
	scratch_write(state, "server", "w", PEM_SERVER);
	scratch_write(state, "chain", "w", PEM_SERVER PEM_CA);
	scratch_write(state, "key", "w", PEM_KEY);
	scratch_write(state, "ca", "w", PEM_CA);
}

static void good_files(void **state)
{
	static const char *const certs[] = { "server", "chain" };

	write_files(state);
	for (int i = 0; i < 2; i++) {
		const struct web_config config = files(state, certs[i], "key", "ca");
		struct tls *tls = load(&config);

		assert_false(tls_is_slow(tls));
		assert_ptr_equal(tls_hold(tls), tls);
		tls_release(tls);
		tls_release(tls);
	}
	tls_release(NULL);
}

static void bad_files(void **state)
{
	static const struct {
		const char *cert, *key, *ca;
		int line;
		const char *text;
	} cases[] = {
		{ "none", "key", NULL, CERT_LINE, "cannot be read: No such file or directory" },
		{ "", "key", NULL, CERT_LINE, "is not a regular file" },
		{ "empty", "key", NULL, CERT_LINE, "has no certificate in it" },
		{ "key", "key", NULL, CERT_LINE, "has no certificate in it" },
		{ "broken", "key", NULL, CERT_LINE, "has no certificate that can be read" },
		{ "mixed", "key", NULL, CERT_LINE, "has certificates that do not sign one another in turn" },
		{ "server", "none", NULL, KEY_LINE, "cannot be read: No such file or directory" },
		{ "server", "server", NULL, KEY_LINE, "has no private key that can be read" },
		{ "server", "empty", NULL, KEY_LINE, "has no private key that can be read" },
		{ "server", "encrypted", NULL, KEY_LINE, "has an encrypted key: it has to be one without a password" },
		{ "server", "other", NULL, KEY_LINE, "does not belong to the certificate of cert_file" },
		{ "server", "key", "none", CLIENT_CA_LINE, "cannot be read: No such file or directory" },
		{ "server", "key", "key", CLIENT_CA_LINE, "has no certificate that can be read" },
	};

	write_files(state);
	scratch_write(state, "empty", "w", "");
	scratch_write(state, "other", "w", PEM_OTHER_KEY);
	scratch_write(state, "encrypted", "w", PEM_ENCRYPTED_KEY);
	scratch_write(state, "mixed", "w", PEM_SERVER PEM_CLIENT);
	scratch_write(state, "broken", "w", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct web_config config = files(state, cases[i].cert, cases[i].key, cases[i].ca);
		const struct web_config_text *file = cases[i].line == CERT_LINE ? &config.cert_file :
			cases[i].line == KEY_LINE                               ? &config.key_file :
										  &config.client_ca_file;
		struct web_config_fault fault = { 0 };
		char text[400];
		struct tls *tls;

		snprintf(text, sizeof(text), "%s: \"%s\" %s", file->key, file->text, cases[i].text);
		assert_int_equal(tls_new(&tls, &config, &fault), strstr(cases[i].text, "such") ? -ENOENT : -EINVAL);
		assert_null(tls);
		assert_string_equal(fault.text, text);
		assert_int_equal(fault.line, cases[i].line);
	}
}

/* --- Handshakes, both ends in this process */

static gnutls_session_t start(int fd, unsigned int flags)
{
	gnutls_session_t session;

	assert_int_equal(gnutls_init(&session, flags | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL), 0);
	gnutls_transport_set_int(session, fd);
	return session;
}

/* Sends its certificate whoever signed it: by itself GnuTLS leaves out what the server's CA did not sign. */
static int always(gnutls_session_t session, const struct gnutls_cert_retr_st *info, gnutls_pcert_st **pcerts,
	unsigned int *count, gnutls_ocsp_data_st **ocsp, unsigned int *ocsp_count, gnutls_privkey_t *key,
	unsigned int *flags)
{
	const char *text = gnutls_session_get_ptr(session);
	const gnutls_datum_t cert_pem = { (unsigned char *)text, (unsigned int)strlen(text) };
	const gnutls_datum_t key_pem = { (unsigned char *)PEM_KEY, sizeof(PEM_KEY) - 1 };

	(void)info;
	*pcerts = gnutls_malloc(sizeof(**pcerts));
	assert_int_equal(gnutls_pcert_import_x509_raw(*pcerts, &cert_pem, GNUTLS_X509_FMT_PEM, 0), 0);
	assert_int_equal(gnutls_privkey_init(key), 0);
	assert_int_equal(gnutls_privkey_import_x509_raw(*key, &key_pem, GNUTLS_X509_FMT_PEM, NULL, 0), 0);
	*count = 1;
	*ocsp = NULL;
	*ocsp_count = 0;
	*flags = GNUTLS_CERT_RETR_DEINIT_ALL;
	return 0;
}

/* "TLS1.3" or another version: the server's end is through; "-" and an alert's number, or "-": it is not. */
static const char *handshake(struct tls *tls, const char *cert, const char *versions)
{
	static char outcome[32];
	gnutls_certificate_credentials_t credentials;
	gnutls_session_t server, client;
	int fds[2], served = GNUTLS_E_AGAIN, asked = GNUTLS_E_AGAIN;
	char byte;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	assert_int_equal(gnutls_certificate_allocate_credentials(&credentials), 0);
	server = start(fds[0], GNUTLS_SERVER);
	client = start(fds[1], GNUTLS_CLIENT);
	assert_int_equal(tls_attach(tls, server), 0);
	if (cert) {
		gnutls_session_set_ptr(client, (void *)cert);
		gnutls_certificate_set_retrieve_function3(credentials, always);
	}
	gnutls_credentials_set(client, GNUTLS_CRD_CERTIFICATE, credentials);
	assert_int_equal(gnutls_priority_set_direct(client, versions, NULL), 0);
	for (int i = 0; i < 100; i++) {
		if (asked < 0 && !gnutls_error_is_fatal(asked))
			asked = gnutls_handshake(client);
		if (served < 0 && !gnutls_error_is_fatal(served))
			served = gnutls_handshake(server);
	}
	if (served == 0) {
		snprintf(outcome, sizeof(outcome), "%s", gnutls_protocol_get_name(gnutls_protocol_get_version(server)));
	} else {
		if (asked == 0)
			asked = (int)gnutls_record_recv(client, &byte, 1);
		if (asked == GNUTLS_E_FATAL_ALERT_RECEIVED)
			snprintf(outcome, sizeof(outcome), "-%d", gnutls_alert_get(client));
		else
			strcpy(outcome, "-");
	}
	gnutls_deinit(client);
	gnutls_deinit(server);
	gnutls_certificate_free_credentials(credentials);
	close(fds[0]);
	close(fds[1]);
	return outcome;
}

#define ANY "NORMAL"
#define ONLY2 "NORMAL:-VERS-ALL:+VERS-TLS1.2"
#define OLD "NORMAL:-VERS-ALL:+VERS-TLS1.1:%COMPAT"

static struct tls *make(void **state, enum web_config_client client, int min_version, int max_version)
{
	struct web_config config = files(state, "server", "key", "ca");

	config.client = client;
	config.min_version = min_version;
	config.max_version = max_version;
	return load(&config);
}

static void versions(void **state)
{
	struct tls *both, *only_12, *only_13;

	write_files(state);
	both = make(state, WEB_CLIENT_NONE, 0, 0);
	only_12 = make(state, WEB_CLIENT_NONE, 0, 12);
	only_13 = make(state, WEB_CLIENT_NONE, 13, 0);
	assert_string_equal(handshake(both, NULL, ANY), "TLS1.3");
	assert_string_equal(handshake(both, NULL, ONLY2), "TLS1.2");
	assert_string_equal(handshake(both, NULL, OLD), "-");
	assert_string_equal(handshake(only_12, NULL, ANY), "TLS1.2");
	assert_string_equal(handshake(only_13, NULL, ANY), "TLS1.3");
	assert_string_equal(handshake(only_13, NULL, ONLY2), "-");
	tls_release(both);
	tls_release(only_12);
	tls_release(only_13);
}

static void client_certificates(void **state)
{
	/* no certificate, one of our CA, a stranger's, one that is for servers */
	static const struct {
		enum web_config_client client;
		const char *outcome[4];
	} cases[] = {
		{ WEB_CLIENT_NONE, { "ok", "ok", "ok", "ok" } },
		{ WEB_CLIENT_REQUEST, { "ok", "ok", "ok", "ok" } },
		{ WEB_CLIENT_ANY, { "-", "ok", "ok", "ok" } },
		{ WEB_CLIENT_VERIFY_IF_GIVEN, { "ok", "ok", "-48", "-42" } }, /* unknown_ca, bad_certificate */
		{ WEB_CLIENT_VERIFY, { "-", "ok", "-48", "-42" } },
	};
	static const char *const certs[] = { NULL, PEM_CLIENT, PEM_STRANGER, PEM_SERVER };

	write_files(state);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tls *tls = make(state, cases[i].client, 12, 13);

		for (int cert = 0; cert < 4; cert++) {
			bool ok = !strcmp(cases[i].outcome[cert], "ok");

			if (strcmp(handshake(tls, certs[cert], ANY), ok ? "TLS1.3" : cases[i].outcome[cert]) ||
				strcmp(handshake(tls, certs[cert], ONLY2), ok ? "TLS1.2" : cases[i].outcome[cert]))
				fail_msg("rule %zu, certificate %d: %s", i, cert, handshake(tls, certs[cert], ANY));
		}
		tls_release(tls);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(good_files),
		SCRATCH_TEST(bad_files),
		SCRATCH_TEST(versions),
		SCRATCH_TEST(client_certificates),
	};

	return cmocka_run_group_tests_name("tls", tests, NULL, NULL);
}

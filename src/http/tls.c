/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tls.h"

#include "hostmeter/base/buf.h"
#include "hostmeter/base/file_error.h"
#include "hostmeter/os/file.h"
#include "web_config.h"

#include <errno.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_BYTES = 1 << 20, CHAIN = 16 };

struct tls {
	unsigned int users;
	enum web_config_client client;
	bool slow;
	gnutls_certificate_credentials_t credentials;
	gnutls_priority_t priority;
};

/* file NULL: the fault is not in a file. */
static int refuse(struct web_config_fault *fault, const struct web_config_text *file, const char *text)
{
	return file ? web_config_refuse(fault, file->line, "%s: \"%.200s\" %s", file->key, file->text, text) :
		      web_config_refuse(fault, fault->line, "%s", text);
}

/* --- Files */

/* 0: *pem is the content of *text, which the caller frees. */
static int read_pem(struct buf *text, gnutls_datum_t *pem, const struct web_config_text *file,
	struct web_config_fault *fault)
{
	int error = file_read(file->text, FILE_BYTES, text);
	char why[96];

	*pem = (gnutls_datum_t){ (unsigned char *)text->data, (unsigned int)text->len };
	if (!error)
		return 0;
	buf_free(text);
	snprintf(why, sizeof(why), "cannot be read: %s", strerror(-error));
	refuse(fault, file, error == -EINVAL || error == -EOPNOTSUPP ? file_error_reading(error) : why);
	return error;
}

static const char *fault_of_chain(int ret)
{
	switch (ret) {
	case GNUTLS_E_NO_CERTIFICATE_FOUND:
		return "has no certificate in it";
	case GNUTLS_E_SHORT_MEMORY_BUFFER:
		return "has more than 16 certificates";
	case GNUTLS_E_CERTIFICATE_LIST_UNSORTED:
		return "has certificates that do not sign one another in turn";
	default:
		return "has no certificate that can be read";
	}
}

/* The server's chain; the caller frees *count certificates. */
static int load_chain(gnutls_x509_crt_t *chain, unsigned int *count, const struct web_config_text *file,
	struct web_config_fault *fault)
{
	unsigned int found = CHAIN;
	struct buf text = BUF_INIT;
	gnutls_datum_t pem;
	int error = read_pem(&text, &pem, file, fault), ret;

	if (error)
		return error;
	ret = gnutls_x509_crt_list_import(chain, &found, &pem, GNUTLS_X509_FMT_PEM,
		GNUTLS_X509_CRT_LIST_IMPORT_FAIL_IF_EXCEED | GNUTLS_X509_CRT_LIST_FAIL_IF_UNSORTED);
	buf_free(&text);
	if (ret < 0)
		return refuse(fault, file, fault_of_chain(ret));
	*count = found;
	return 0;
}

static int load_key(gnutls_x509_privkey_t key, const struct web_config_text *file, struct web_config_fault *fault)
{
	struct buf text = BUF_INIT;
	gnutls_datum_t pem;
	int error = read_pem(&text, &pem, file, fault), ret;

	if (error)
		return error;
	ret = gnutls_x509_privkey_import2(key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0);
	explicit_bzero(text.data, text.len);
	buf_free(&text);
	if (ret == GNUTLS_E_DECRYPTION_FAILED)
		return refuse(fault, file, "has an encrypted key: it has to be one without a password");
	return ret < 0 ? refuse(fault, file, "has no private key that can be read") : 0;
}

static int use_pair(struct tls *tls, gnutls_x509_crt_t *chain, unsigned int count, gnutls_x509_privkey_t key,
	const struct web_config *config, struct web_config_fault *fault)
{
	int ret = gnutls_certificate_set_x509_key(tls->credentials, chain, (int)count, key);
	int algorithm = gnutls_x509_privkey_get_pk_algorithm(key);

	if (ret == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
		return refuse(fault, &config->key_file, "does not belong to the certificate of cert_file");
	if (ret < 0)
		return refuse(fault, &config->cert_file, gnutls_strerror(ret));
	tls->slow = algorithm != GNUTLS_PK_ECDSA && algorithm != GNUTLS_PK_EDDSA_ED25519;
	return 0;
}

static int load_pair(struct tls *tls, const struct web_config *config, struct web_config_fault *fault)
{
	gnutls_x509_crt_t chain[CHAIN];
	gnutls_x509_privkey_t key = NULL;
	unsigned int count = 0;
	int error = load_chain(chain, &count, &config->cert_file, fault);

	if (!error && gnutls_x509_privkey_init(&key) < 0)
		error = refuse(fault, NULL, strerror(ENOMEM));
	if (!error)
		error = load_key(key, &config->key_file, fault);
	if (!error)
		error = use_pair(tls, chain, count, key, config, fault);
	for (unsigned int i = 0; i < count; i++)
		gnutls_x509_crt_deinit(chain[i]);
	gnutls_x509_privkey_deinit(key);
	return error;
}

static int load_client_ca(struct tls *tls, const struct web_config_text *file, struct web_config_fault *fault)
{
	struct buf text = BUF_INIT;
	gnutls_datum_t pem;
	int error = read_pem(&text, &pem, file, fault), count;

	if (error)
		return error;
	count = gnutls_certificate_set_x509_trust_mem(tls->credentials, &pem, GNUTLS_X509_FMT_PEM);
	buf_free(&text);
	return count > 0 ? 0 : refuse(fault, file, "has no certificate that can be read");
}

/* --- Sessions */

/*
 * Called in the handshake, once the client's certificate is there or will not come. It has to be made for clients
 * (extended key usage), as other exporters want it. 0, or the handshake ends.
 */
static int verify_client(gnutls_session_t session)
{
	gnutls_typed_vdata_st purpose = { .type = GNUTLS_DT_KEY_PURPOSE_OID, .data = (void *)GNUTLS_KP_TLS_WWW_CLIENT };
	unsigned int count = 0, status = 0;

	if (!gnutls_certificate_get_peers(session, &count) || count == 0)
		return 0; /* where one has to be there, GnuTLS itself saw to it */
	if (gnutls_certificate_verify_peers(session, &purpose, 1, &status) >= 0 && status == 0)
		return 0;
	/* libmicrohttpd just closes: this is how the client learns why. */
	gnutls_alert_send(session, GNUTLS_AL_FATAL,
		status & GNUTLS_CERT_SIGNER_NOT_FOUND ? GNUTLS_A_UNKNOWN_CA :
			status & GNUTLS_CERT_EXPIRED  ? GNUTLS_A_CERTIFICATE_EXPIRED :
							GNUTLS_A_BAD_CERTIFICATE);
	return GNUTLS_E_CERTIFICATE_ERROR;
}

bool tls_is_slow(const struct tls *tls)
{
	return tls->slow;
}

int tls_attach(struct tls *tls, void *session)
{
	int ret = gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, tls->credentials);

	if (ret >= 0)
		ret = gnutls_priority_set(session, tls->priority);
	if (ret < 0)
		return -ENOMEM;
	if (tls->client != WEB_CLIENT_NONE)
		gnutls_certificate_server_set_request(session,
			tls->client == WEB_CLIENT_ANY || tls->client == WEB_CLIENT_VERIFY ? GNUTLS_CERT_REQUIRE :
											    GNUTLS_CERT_REQUEST);
	if (web_config_verifies(tls->client))
		gnutls_session_set_verify_function(session, verify_client);
	return 0;
}

static int retrieve_nothing(gnutls_session_t session, const gnutls_datum_t *names, int count,
	const gnutls_pk_algorithm_t *algorithms, int algorithm_count, gnutls_pcert_st **certs, unsigned int *cert_count,
	gnutls_privkey_t *key)
{
	(void)session, (void)names, (void)count, (void)algorithms, (void)algorithm_count, (void)certs, (void)key;
	*cert_count = 0;
	return -1;
}

void *tls_no_certificate(void)
{
	return retrieve_nothing;
}

/* --- Start and end */

static int set_up(struct tls *tls, const struct web_config *config, struct web_config_fault *fault)
{
	char versions[96];
	int error;

	snprintf(versions, sizeof(versions), "NORMAL:-VERS-ALL%s%s:%%SERVER_PRECEDENCE",
		config->max_version == 12 ? "" : ":+VERS-TLS1.3", config->min_version == 13 ? "" : ":+VERS-TLS1.2");
	if (gnutls_certificate_allocate_credentials(&tls->credentials) < 0)
		return refuse(fault, NULL, strerror(ENOMEM));
	if (gnutls_priority_init(&tls->priority, versions, NULL) < 0)
		return refuse(fault, NULL, "the system's policy for GnuTLS allows none of these versions of TLS");
	error = load_pair(tls, config, fault);
	if (!error && web_config_verifies(config->client))
		error = load_client_ca(tls, &config->client_ca_file, fault);
	return error;
}

int tls_new(struct tls **tls, const struct web_config *config, struct web_config_fault *fault)
{
	int error;

	fault->line = config->tls_line;
	*tls = calloc(1, sizeof(**tls));
	if (!*tls)
		return refuse(fault, NULL, strerror(ENOMEM));
	**tls = (struct tls){ .users = 1, .client = config->client };
	error = set_up(*tls, config, fault);
	if (error) {
		tls_release(*tls);
		*tls = NULL;
	}
	return error;
}

struct tls *tls_hold(struct tls *tls)
{
	tls->users++;
	return tls;
}

void tls_release(struct tls *tls)
{
	if (!tls || --tls->users)
		return;
	if (tls->credentials)
		gnutls_certificate_free_credentials(tls->credentials);
	if (tls->priority)
		gnutls_priority_deinit(tls->priority);
	free(tls);
}

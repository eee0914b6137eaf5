/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tls.h"

#include "hostmeter/base/buf.h"
#include "hostmeter/os/file.h"

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
	bool request, require, verify, slow;
	gnutls_certificate_credentials_t credentials;
	gnutls_priority_t priority;
};

static int refuse(struct tls_fault *fault, enum tls_part part, const char *text)
{
	fault->part = part;
	snprintf(fault->text, sizeof(fault->text), "%s", text);
	return -EINVAL;
}

/* --- Files */

/* 0: *pem is text, which the caller frees. */
static int read_pem(struct buf *text, gnutls_datum_t *pem, const char *path, enum tls_part part,
	struct tls_fault *fault)
{
	int error = file_read(path, FILE_BYTES, text);

	*pem = (gnutls_datum_t){ (unsigned char *)text->data, (unsigned int)text->len };
	if (!error)
		return 0;
	buf_free(text);
	if (error == -EINVAL)
		return refuse(fault, part, "is not a regular file");
	fault->part = part;
	snprintf(fault->text, sizeof(fault->text), "cannot be read: %s", strerror(-error));
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
static int load_chain(gnutls_x509_crt_t *chain, unsigned int *count, const char *path, struct tls_fault *fault)
{
	struct buf text = BUF_INIT;
	gnutls_datum_t pem;
	int error = read_pem(&text, &pem, path, TLS_CERT, fault), ret;

	*count = 0;
	if (error)
		return error;
	*count = CHAIN;
	ret = gnutls_x509_crt_list_import(chain, count, &pem, GNUTLS_X509_FMT_PEM,
		GNUTLS_X509_CRT_LIST_IMPORT_FAIL_IF_EXCEED | GNUTLS_X509_CRT_LIST_FAIL_IF_UNSORTED);
	buf_free(&text);
	if (ret >= 0)
		return 0;
	*count = 0;
	return refuse(fault, TLS_CERT, fault_of_chain(ret));
}

static int load_key(gnutls_x509_privkey_t key, const char *path, struct tls_fault *fault)
{
	struct buf text = BUF_INIT;
	gnutls_datum_t pem;
	int error = read_pem(&text, &pem, path, TLS_KEY, fault), ret;

	if (error)
		return error;
	ret = gnutls_x509_privkey_import2(key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0);
	explicit_bzero(text.data, text.len);
	buf_free(&text);
	if (ret == GNUTLS_E_DECRYPTION_FAILED)
		return refuse(fault, TLS_KEY, "has an encrypted key: it has to be one without a password");
	return ret < 0 ? refuse(fault, TLS_KEY, "has no private key that can be read") : 0;
}

static int use_pair(struct tls *tls, gnutls_x509_crt_t *chain, unsigned int count, gnutls_x509_privkey_t key,
	struct tls_fault *fault)
{
	int ret = gnutls_certificate_set_x509_key(tls->credentials, chain, (int)count, key);
	int algorithm = gnutls_x509_privkey_get_pk_algorithm(key);

	if (ret == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
		return refuse(fault, TLS_KEY, "does not belong to the certificate of cert_file");
	if (ret < 0)
		return refuse(fault, TLS_CERT, gnutls_strerror(ret));
	tls->slow = algorithm != GNUTLS_PK_ECDSA && algorithm != GNUTLS_PK_EDDSA_ED25519;
	return 0;
}

static int load_pair(struct tls *tls, const struct tls_settings *settings, struct tls_fault *fault)
{
	gnutls_x509_crt_t chain[CHAIN];
	gnutls_x509_privkey_t key = NULL;
	unsigned int count;
	int error = load_chain(chain, &count, settings->cert_file, fault);

	if (!error && gnutls_x509_privkey_init(&key) < 0)
		error = refuse(fault, TLS_ITSELF, strerror(ENOMEM));
	if (!error)
		error = load_key(key, settings->key_file, fault);
	if (!error)
		error = use_pair(tls, chain, count, key, fault);
	for (unsigned int i = 0; i < count; i++)
		gnutls_x509_crt_deinit(chain[i]);
	gnutls_x509_privkey_deinit(key);
	return error;
}

static int load_client_ca(struct tls *tls, const char *path, struct tls_fault *fault)
{
	struct buf text = BUF_INIT;
	gnutls_datum_t pem;
	int error = read_pem(&text, &pem, path, TLS_CLIENT_CA, fault), count;

	if (error)
		return error;
	count = gnutls_certificate_set_x509_trust_mem(tls->credentials, &pem, GNUTLS_X509_FMT_PEM);
	buf_free(&text);
	return count > 0 ? 0 : refuse(fault, TLS_CLIENT_CA, "has no certificate that can be read");
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
	if (tls->request)
		gnutls_certificate_server_set_request(session,
			tls->require ? GNUTLS_CERT_REQUIRE : GNUTLS_CERT_REQUEST);
	if (tls->verify)
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

static int set_up(struct tls *tls, const struct tls_settings *settings, struct tls_fault *fault)
{
	char versions[96];
	int error;

	snprintf(versions, sizeof(versions), "NORMAL:-VERS-ALL%s%s:%%SERVER_PRECEDENCE",
		settings->without_13 ? "" : ":+VERS-TLS1.3", settings->without_12 ? "" : ":+VERS-TLS1.2");
	if (gnutls_certificate_allocate_credentials(&tls->credentials) < 0)
		return refuse(fault, TLS_ITSELF, strerror(ENOMEM));
	if (gnutls_priority_init(&tls->priority, versions, NULL) < 0)
		return refuse(fault, TLS_ITSELF, "the system's policy for GnuTLS allows none of these versions of TLS");
	error = load_pair(tls, settings, fault);
	if (!error && settings->verify)
		error = load_client_ca(tls, settings->client_ca_file, fault);
	return error;
}

int tls_new(struct tls **tls, const struct tls_settings *settings, struct tls_fault *fault)
{
	int error;

	*tls = calloc(1, sizeof(**tls));
	if (!*tls)
		return refuse(fault, TLS_ITSELF, strerror(ENOMEM));
	**tls = (struct tls){
		.users = 1,
		.request = settings->request,
		.require = settings->require,
		.verify = settings->verify,
	};
	error = set_up(*tls, settings, fault);
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

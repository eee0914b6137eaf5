/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tls: the certificate, the key and the rules that a server's TLS sessions (GnuTLS) are given, counted by use, so that
 * new ones can come while old sessions live on.
 */
#ifndef HOSTMETER_HTTP_TLS_H
#define HOSTMETER_HTTP_TLS_H

#include <stdbool.h>

struct tls;

struct tls_settings {
	const char *cert_file,
		*key_file;          /* PEM: the chain, the server's own certificate first; its key, not encrypted */
	const char *client_ca_file; /* PEM: who may sign clients' certificates; NULL unless verify */
	/* A client's certificate is asked for; has to be there; has to be signed by one of client_ca_file. */
	bool request, require, verify;
	bool without_12, without_13; /* of the versions of TLS */
};

/* Which of the settings does not do, and why. */
enum tls_part { TLS_CERT, TLS_KEY, TLS_CLIENT_CA, TLS_ITSELF };
struct tls_fault {
	enum tls_part part;
	char text[160];
};

/* Reads the files. 0 and a first use of *tls; or -errno and *fault. */
int tls_new(struct tls **tls, const struct tls_settings *settings, struct tls_fault *fault);

/* One more use, one less: with the last one it is gone. tls_release(NULL) is fine. Returns tls. */
struct tls *tls_hold(struct tls *tls);
void tls_release(struct tls *tls);

/*
 * Its key is RSA: a signature, which each new connection costs the loop, takes thirty times as long as with P-256, or
 * more.
 */
bool tls_is_slow(const struct tls *tls);

/* Gives a session (gnutls_session_t) that has not begun these rules. It must be held for as long as the session lives.
 */
int tls_attach(struct tls *tls, void *session);

/*
 * A gnutls_certificate_retrieve_function2 that has no certificate, for sessions that must not begin without
 * tls_attach().
 */
void *tls_no_certificate(void);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tls: the certificate, the key and the rules for the TLS sessions (GnuTLS) of a server. They are counted by use: new
 * ones can replace them while older sessions live on.
 */
#pragma once

#include <stdbool.h>

struct tls;
struct web_config;
struct web_config_fault;

/* Reads the files of tls_server_config. 0, and *tls is used once; or -errno and *fault. */
int tls_new(struct tls **tls, const struct web_config *config, struct web_config_fault *fault);

/* One more use, which returns tls; one less, and the last one frees it. tls_release(NULL) is fine. */
struct tls *tls_hold(struct tls *tls);
void tls_release(struct tls *tls);

/* Whether a signature, which the loop makes for each new connection, takes thirty times as long as with P-256 (RSA). */
bool tls_is_slow(const struct tls *tls);

/* Gives the rules to a new session (gnutls_session_t). Hold them as long as it lives. 0 or -ENOMEM. */
int tls_attach(struct tls *tls, void *session);

/* A gnutls_certificate_retrieve_function2 without a certificate: no session begins without tls_attach(). */
void *tls_no_certificate(void);

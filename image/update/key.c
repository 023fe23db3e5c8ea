#include "image/update/key.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/assert.h"

#define PEM_BYTES_MAX 16384

static gnutls_datum_t datum_of(struct weft_span span)
{
    return (gnutls_datum_t){.data = (unsigned char *)(uintptr_t)span.data,
                            .size = (unsigned)span.length};
}

int weft_update_key_parse(struct weft_span pem, const char *name, struct weft_update_key *key,
                          struct weft_error *error)
{
    const gnutls_datum_t datum = datum_of(pem);
    gnutls_pubkey_t public_key;

    key->public_key = NULL;
    if (gnutls_pubkey_init(&public_key) < 0) return weft_error_set(error, 903, "no memory");
    if (gnutls_pubkey_import(public_key, &datum, GNUTLS_X509_FMT_PEM) == 0 &&
        gnutls_pubkey_get_pk_algorithm(public_key, NULL) == GNUTLS_PK_EDDSA_ED25519) {
        key->public_key = public_key;
        return 0;
    }
    gnutls_pubkey_deinit(public_key);
    return weft_error_set(error, 903, "%s is no Ed25519 public key in PEM", name);
}

int weft_update_key_read(const char *path, struct weft_update_key *key, struct weft_error *error)
{
    uint8_t pem[PEM_BYTES_MAX];
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    key->public_key = NULL;
    if (fd < 0) return weft_error_set(error, 903, "key %s: %s", path, strerror(errno));
    const ssize_t length = read(fd, pem, sizeof(pem));
    close(fd);
    if (length < 0) return weft_error_set(error, 903, "key %s: %s", path, strerror(errno));
    return weft_update_key_parse(weft_span_of(pem, (size_t)length), path, key, error);
}

void weft_update_key_destroy(struct weft_update_key *key)
{
    if (key->public_key != NULL) gnutls_pubkey_deinit(key->public_key);
    key->public_key = NULL;
}

int weft_update_key_verify(const struct weft_update_key *key, struct weft_span message,
                           const uint8_t signature[WEFT_UPDATE_SIGNATURE_BYTES])
{
    const gnutls_datum_t data = datum_of(message);
    const gnutls_datum_t signed_as = datum_of(weft_span_of(signature, WEFT_UPDATE_SIGNATURE_BYTES));

    if (key->public_key == NULL) return -EBADMSG;
    return gnutls_pubkey_verify_data2(key->public_key, GNUTLS_SIGN_EDDSA_ED25519, 0, &data,
                                      &signed_as) == 0
               ? 0
               : -EBADMSG;
}

int weft_update_sign(struct weft_span private_pem, struct weft_span message,
                     uint8_t signature[WEFT_UPDATE_SIGNATURE_BYTES], struct weft_error *error)
{
    const gnutls_datum_t pem = datum_of(private_pem), data = datum_of(message);
    gnutls_datum_t made = {.data = NULL};
    gnutls_privkey_t key;

    if (gnutls_privkey_init(&key) < 0) return weft_error_set(error, 903, "no memory");
    int result = gnutls_privkey_import_x509_raw(key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0);
    if (result == 0 && gnutls_privkey_get_pk_algorithm(key, NULL) == GNUTLS_PK_EDDSA_ED25519) {
        result = gnutls_privkey_sign_data2(key, GNUTLS_SIGN_EDDSA_ED25519, 0, &data, &made);
    } else {
        result = -1;
    }
    gnutls_privkey_deinit(key);
    if (result != 0 || made.size != WEFT_UPDATE_SIGNATURE_BYTES) {
        gnutls_free(made.data);
        return weft_error_set(error, 903, "the signing key is no Ed25519 private key in PEM");
    }
    memcpy(signature, made.data, WEFT_UPDATE_SIGNATURE_BYTES);
    gnutls_free(made.data);
    return 0;
}

int weft_update_digest_init(struct weft_update_digest *digest)
{
    gnutls_hash_hd_t state;

    digest->state = NULL;
    if (gnutls_hash_init(&state, GNUTLS_DIG_SHA256) != 0) return -ENOMEM;
    digest->state = state;
    return 0;
}

void weft_update_digest_add(struct weft_update_digest *digest, const void *bytes, size_t length)
{
    weft_assert(digest->state != NULL);
    const int result = gnutls_hash(digest->state, bytes, length);
    weft_assert(result == 0); // Plain memory in, plain memory out: nothing of it can fail.
}

void weft_update_digest_finish(struct weft_update_digest *digest,
                               uint8_t sum[WEFT_UPDATE_DIGEST_BYTES])
{
    if (digest->state != NULL) gnutls_hash_deinit(digest->state, sum);
    digest->state = NULL;
}

void weft_update_hex(const uint8_t sum[WEFT_UPDATE_DIGEST_BYTES],
                     char text[2 * WEFT_UPDATE_DIGEST_BYTES + 1])
{
    for (size_t i = 0; i < WEFT_UPDATE_DIGEST_BYTES; i++)
        snprintf(text + 2 * i, 3, "%02x", sum[i]);
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool weft_update_unhex(const char *text, uint8_t sum[WEFT_UPDATE_DIGEST_BYTES])
{
    for (size_t i = 0; i < WEFT_UPDATE_DIGEST_BYTES; i++) {
        const int high = digit_of(text[2 * i]);
        const int low = high < 0 ? -1 : digit_of(text[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        sum[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

#include "runtime/admin/client_key.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// Who looks at it looks at the key alone, and not every clock is right.
#define VALID_FROM 0
#define VALID_TO   ((time_t)253402300799) // 9999-12-31 23:59:59, RFC 5280's "no end".

static int fail(struct weft_error *error, const char *path, const char *why)
{
    return weft_error_set(error, 504, "key %s: %s", path, why);
}

// ---- The file.

static int read_pem(const char *path, char pem[WEFT_CLIENT_KEY_PEM_BYTES], struct weft_error *error)
{
    struct stat status;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0) return fail(error, path, strerror(errno));
    const bool is_file = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
    const ssize_t length = is_file ? read(fd, pem, WEFT_CLIENT_KEY_PEM_BYTES) : -1;
    close(fd);
    if (!is_file) return fail(error, path, "it is no file");
    if (length < 0) return fail(error, path, strerror(errno));
    if ((status.st_mode & 077) != 0) return fail(error, path, "others may read it: chmod 600");
    if (length == WEFT_CLIENT_KEY_PEM_BYTES) return fail(error, path, "no Ed25519 key in PEM");
    pem[length] = '\0';
    return 0;
}

static int write_new(const char *path, const char *pem, size_t length, struct weft_error *error)
{
    // O_EXCL: a key that exists opens nodes somewhere, and a link could lead elsewhere.
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0) return fail(error, path, strerror(errno));
    const ssize_t written = write(fd, pem, length);
    const int reason = written < 0 ? errno : ENOSPC;
    const bool is_whole = written == (ssize_t)length && fsync(fd) == 0;
    if (close(fd) == 0 && is_whole) return 0;
    unlink(path);
    return fail(error, path, strerror(reason));
}

// ---- The certificate.

static int make_certificate(gnutls_x509_privkey_t key, gnutls_x509_crt_t certificate)
{
    static const unsigned char serial[] = {1};
    int result = gnutls_x509_crt_set_version(certificate, 3);

    if (result == 0) result = gnutls_x509_crt_set_serial(certificate, serial, sizeof(serial));
    if (result == 0) result = gnutls_x509_crt_set_activation_time(certificate, VALID_FROM);
    if (result == 0) result = gnutls_x509_crt_set_expiration_time(certificate, VALID_TO);
    if (result == 0) result = gnutls_x509_crt_set_dn(certificate, "CN=weft owner", NULL);
    if (result == 0) result = gnutls_x509_crt_set_key(certificate, key);
    if (result != 0) return result;
    return gnutls_x509_crt_sign2(certificate, certificate, key, GNUTLS_DIG_SHA512, 0);
}

static int import(struct weft_client_key *key, const char *pem)
{
    const gnutls_datum_t datum = {.data = (unsigned char *)(uintptr_t)pem,
                                  .size = (unsigned)strlen(pem)};
    gnutls_x509_privkey_t private_key;
    gnutls_x509_crt_t certificate;

    if (gnutls_x509_privkey_init(&private_key) != 0) return GNUTLS_E_MEMORY_ERROR;
    key->key = private_key;
    if (gnutls_x509_crt_init(&certificate) != 0) return GNUTLS_E_MEMORY_ERROR;
    key->certificate = certificate;
    const int result = gnutls_x509_privkey_import2(private_key, &datum, GNUTLS_X509_FMT_PEM, NULL,
                                                   GNUTLS_PKCS_PLAIN);
    if (result != 0) return result;
    if (gnutls_x509_privkey_get_pk_algorithm(private_key) != GNUTLS_PK_EDDSA_ED25519)
        return GNUTLS_E_UNSUPPORTED_SIGNATURE_ALGORITHM;
    return make_certificate(private_key, certificate);
}

int weft_client_key_open(struct weft_client_key *key, const char *path, struct weft_error *error)
{
    char pem[WEFT_CLIENT_KEY_PEM_BYTES];

    *key = (struct weft_client_key){.key = NULL};
    if (read_pem(path, pem, error) != 0) return -1;
    const int result = import(key, pem);
    gnutls_memset(pem, 0, sizeof(pem));
    if (result == 0) return 0;
    weft_client_key_close(key);
    return fail(error, path, "no Ed25519 private key in PEM");
}

void weft_client_key_close(struct weft_client_key *key)
{
    if (key->key != NULL) gnutls_x509_privkey_deinit(key->key);
    if (key->certificate != NULL) gnutls_x509_crt_deinit(key->certificate);
    *key = (struct weft_client_key){.key = NULL};
}

int weft_client_key_make(const char *path, struct weft_error *error)
{
    char pem[WEFT_CLIENT_KEY_PEM_BYTES];
    size_t length = sizeof(pem);
    gnutls_x509_privkey_t key;

    if (gnutls_x509_privkey_init(&key) != 0) return fail(error, path, "no memory");
    int result = gnutls_x509_privkey_generate(key, GNUTLS_PK_EDDSA_ED25519, 0, 0);
    if (result == 0)
        result = gnutls_x509_privkey_export_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN,
                                                  pem, &length);
    gnutls_x509_privkey_deinit(key);
    if (result != 0) return fail(error, path, gnutls_strerror(result));
    result = write_new(path, pem, strlen(pem), error);
    gnutls_memset(pem, 0, sizeof(pem));
    return result;
}

int weft_client_key_public(const struct weft_client_key *key, char pem[WEFT_CLIENT_KEY_PEM_BYTES],
                           struct weft_error *error)
{
    size_t length = WEFT_CLIENT_KEY_PEM_BYTES - 1;
    gnutls_pubkey_t public_key;
    int result = gnutls_pubkey_init(&public_key);

    if (result != 0) return weft_error_set(error, 504, "no memory");
    result = gnutls_pubkey_import_x509(public_key, key->certificate, 0);
    if (result == 0) result = gnutls_pubkey_export(public_key, GNUTLS_X509_FMT_PEM, pem, &length);
    gnutls_pubkey_deinit(public_key);
    if (result != 0) return weft_error_set(error, 504, "the key: %s", gnutls_strerror(result));
    pem[length] = '\0';
    return 0;
}

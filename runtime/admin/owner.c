#include "runtime/admin/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/file.h"

#define FILE_BYTES_MAX 4000
// Nodes have no certain time at their first start, so their certificate is for all times.
#define VALID_FROM 0
#define VALID_TO   ((time_t)253402300799) // 9999-12-31 23:59:59, RFC 5280's "no end".

static int fail(struct weft_error *error, const char *path, const char *why)
{
    weft_error_set(error, 301, "%s: %s", path, why);
    return -1;
}

// The whole file, zero-terminated. Its length or a negative errno.
static ssize_t read_file(const char *path, char *bytes, size_t size, struct stat *status)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) return -errno;
    ssize_t length = -EINVAL;
    if (fstat(fd, status) == 0 && S_ISREG(status->st_mode) && (size_t)status->st_size < size) {
        length = read(fd, bytes, size - 1);
        if (length < 0) length = -errno;
    }
    close(fd);
    if (length >= 0) bytes[length] = '\0';
    return length;
}

static int read_token(struct weft_owner *owner, const char *path, struct weft_error *error)
{
    char bytes[WEFT_OWNER_TOKEN_MAX + 8];
    struct stat status;
    const ssize_t result = read_file(path, bytes, sizeof(bytes), &status);
    if (result < 0 && result != -EINVAL) return fail(error, path, strerror((int)-result));

    size_t length = result < 0 ? 0 : strcspn(bytes, "\r\n");
    // What an editor puts behind the line is no part of it; a second line is a mistake.
    const bool alone = result >= 0 && strspn(bytes + length, "\r\n") == (size_t)result - length;
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] <= ' ' || bytes[i] > '~') length = 0;
    }
    if (!alone || length < WEFT_OWNER_TOKEN_MIN || length > WEFT_OWNER_TOKEN_MAX) {
        weft_error_set(error, 301, "%s: not one line of 16 to 256 visible characters", path);
        weft_error_hint(error, "for example: head -c 24 /dev/urandom | base64 > owner.token");
        return -1;
    }
    memcpy(owner->token, bytes, length);
    owner->token[length] = '\0';
    return 0;
}

// A key and the certificate that it signs for itself, as PEM into `pem`. 0 or GnuTLS's error.
static int make_pair(gnutls_x509_privkey_t key, gnutls_x509_crt_t certificate, char *pem,
                     size_t size)
{
    unsigned char serial[16];
    size_t key_bytes = size, certificate_bytes;
    int result = gnutls_x509_privkey_generate(key, GNUTLS_PK_EDDSA_ED25519, 0, 0);
    if (result == 0) result = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial));
    serial[0] &= 0x7f; // A positive number.
    if (result == 0) result = gnutls_x509_crt_set_version(certificate, 3);
    if (result == 0) result = gnutls_x509_crt_set_serial(certificate, serial, sizeof(serial));
    if (result == 0) result = gnutls_x509_crt_set_activation_time(certificate, VALID_FROM);
    if (result == 0) result = gnutls_x509_crt_set_expiration_time(certificate, VALID_TO);
    if (result == 0) result = gnutls_x509_crt_set_dn(certificate, "CN=weft node", NULL);
    if (result == 0) result = gnutls_x509_crt_set_key(certificate, key);
    if (result == 0)
        result = gnutls_x509_crt_sign2(certificate, certificate, key, GNUTLS_DIG_SHA512, 0);
    if (result == 0)
        result = gnutls_x509_privkey_export_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN,
                                                  pem, &key_bytes);
    if (result != 0) return result;
    key_bytes = strlen(pem);
    certificate_bytes = size - key_bytes;
    return gnutls_x509_crt_export(certificate, GNUTLS_X509_FMT_PEM, pem + key_bytes,
                                  &certificate_bytes);
}

static int make_key(const char *path, char *pem, size_t size, struct weft_error *error)
{
    gnutls_x509_privkey_t key = NULL;
    gnutls_x509_crt_t certificate = NULL;
    int result = gnutls_x509_privkey_init(&key);
    if (result == 0) result = gnutls_x509_crt_init(&certificate);
    if (result == 0) result = make_pair(key, certificate, pem, size);
    if (key != NULL) gnutls_x509_privkey_deinit(key);
    if (certificate != NULL) gnutls_x509_crt_deinit(certificate);
    if (result != 0) return fail(error, path, gnutls_strerror(result));
    // Whole or not at all: a node that loses power here makes another key at its next start.
    result = weft_file_replace(path, pem, strlen(pem), 0600);
    return result == 0 ? 0 : fail(error, path, strerror(-result));
}

static int take_fingerprint(struct weft_owner *owner, const char *path, struct weft_error *error)
{
    const gnutls_datum_t pem = {.data = (unsigned char *)owner->certificate_pem,
                                .size = (unsigned)strlen(owner->certificate_pem)};
    unsigned char digest[32];
    size_t length = sizeof(digest);
    gnutls_x509_crt_t certificate;
    int result = gnutls_x509_crt_init(&certificate);
    if (result != 0) return fail(error, path, gnutls_strerror(result));
    result = gnutls_x509_crt_import(certificate, &pem, GNUTLS_X509_FMT_PEM);
    if (result == 0)
        result = gnutls_x509_crt_get_fingerprint(certificate, GNUTLS_DIG_SHA256, digest, &length);
    gnutls_x509_crt_deinit(certificate);
    if (result != 0) return fail(error, path, gnutls_strerror(result));
    for (size_t i = 0; i < sizeof(digest); i++)
        snprintf(owner->fingerprint + 2 * i, 3, "%02x", digest[i]);
    return 0;
}

// ---- The owner's key.

// The 32 bytes of an Ed25519 key. False for any other.
static bool take_key(gnutls_pubkey_t key, unsigned char bytes[WEFT_OWNER_KEY_BYTES])
{
    gnutls_ecc_curve_t curve;
    gnutls_datum_t x = {.data = NULL}, y = {.data = NULL};

    if (gnutls_pubkey_get_pk_algorithm(key, NULL) != GNUTLS_PK_EDDSA_ED25519 ||
        gnutls_pubkey_export_ecc_raw2(key, &curve, &x, &y, 0) != 0)
        return false;
    const bool fits = x.size == WEFT_OWNER_KEY_BYTES;
    if (fits) memcpy(bytes, x.data, WEFT_OWNER_KEY_BYTES);
    gnutls_free(x.data);
    gnutls_free(y.data);
    return fits;
}

static int read_key(struct weft_owner *owner, const char *path, struct weft_error *error)
{
    char pem[FILE_BYTES_MAX];
    struct stat status;
    gnutls_pubkey_t key;
    const ssize_t length = read_file(path, pem, sizeof(pem), &status);

    if (length < 0 && length != -EINVAL) return fail(error, path, strerror((int)-length));
    const gnutls_datum_t datum = {.data = (unsigned char *)pem,
                                  .size = length > 0 ? (unsigned)length : 0};
    if (gnutls_pubkey_init(&key) != 0) return fail(error, path, "no memory");
    owner->has_key = length > 0 && gnutls_pubkey_import(key, &datum, GNUTLS_X509_FMT_PEM) == 0 &&
                     take_key(key, owner->key);
    gnutls_pubkey_deinit(key);
    if (owner->has_key) return 0;
    fail(error, path, "no Ed25519 public key in PEM");
    weft_error_hint(error, "`weft context keygen >owner.key` writes one");
    return -1;
}

bool weft_owner_knows(const struct weft_owner *owner, void *session)
{
    unsigned char shown[WEFT_OWNER_KEY_BYTES];
    gnutls_x509_crt_t certificate;
    gnutls_pubkey_t key = NULL;
    unsigned count = 0;

    if (!owner->has_key || session == NULL) return false;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &count);
    if (chain == NULL || count == 0 || gnutls_x509_crt_init(&certificate) != 0) return false;
    const bool is_shown =
        gnutls_x509_crt_import(certificate, &chain[0], GNUTLS_X509_FMT_DER) == 0 &&
        gnutls_pubkey_init(&key) == 0 && gnutls_pubkey_import_x509(key, certificate, 0) == 0 &&
        take_key(key, shown);
    if (key != NULL) gnutls_pubkey_deinit(key);
    gnutls_x509_crt_deinit(certificate);
    return is_shown && memcmp(shown, owner->key, sizeof(shown)) == 0; // Both are public.
}

// ---- The node's own.

// The key is that of the certificate: nobody could speak TLS with another one. 0 or GnuTLS's error.
static int check_pair(gnutls_x509_privkey_t key, gnutls_x509_crt_t certificate,
                      const struct weft_owner *owner)
{
    const gnutls_datum_t key_pem = {.data = (unsigned char *)owner->key_pem,
                                    .size = (unsigned)strlen(owner->key_pem)};
    const gnutls_datum_t certificate_pem = {.data = (unsigned char *)owner->certificate_pem,
                                            .size = (unsigned)strlen(owner->certificate_pem)};
    unsigned char id[64], other[64];
    size_t id_bytes = sizeof(id), other_bytes = sizeof(other);
    int result = gnutls_x509_privkey_import(key, &key_pem, GNUTLS_X509_FMT_PEM);

    if (result == 0)
        result = gnutls_x509_crt_import(certificate, &certificate_pem, GNUTLS_X509_FMT_PEM);
    if (result == 0) result = gnutls_x509_privkey_get_key_id(key, 0, id, &id_bytes);
    if (result == 0) result = gnutls_x509_crt_get_key_id(certificate, 0, other, &other_bytes);
    if (result != 0) return result;
    return id_bytes == other_bytes && memcmp(id, other, id_bytes) == 0
               ? 0
               : GNUTLS_E_CERTIFICATE_KEY_MISMATCH;
}

// Puts both into their places. NULL, or why they are none.
static const char *take_pair(struct weft_owner *owner, const char *pem)
{
    static const char head[] = "-----BEGIN CERTIFICATE-----";
    const char *text = strstr(pem, head);
    gnutls_x509_privkey_t key = NULL;
    gnutls_x509_crt_t certificate = NULL;

    if (text == NULL || (size_t)(text - pem) >= sizeof(owner->key_pem) ||
        strlen(text) >= sizeof(owner->certificate_pem))
        return "no key with its certificate";
    snprintf(owner->key_pem, sizeof(owner->key_pem), "%.*s", (int)(text - pem), pem);
    snprintf(owner->certificate_pem, sizeof(owner->certificate_pem), "%s", text);
    int result = gnutls_x509_privkey_init(&key);
    if (result == 0) result = gnutls_x509_crt_init(&certificate);
    if (result == 0) result = check_pair(key, certificate, owner);
    if (key != NULL) gnutls_x509_privkey_deinit(key);
    if (certificate != NULL) gnutls_x509_crt_deinit(certificate);
    return result == 0 ? NULL : gnutls_strerror(result);
}

static int put_aside(struct weft_owner *owner, const char *path, const char *why,
                     struct weft_error *error)
{
    char aside[PATH_MAX];

    if (snprintf(aside, sizeof(aside), "%s.damaged", path) >= (int)sizeof(aside))
        return fail(error, path, strerror(ENAMETOOLONG));
    if (rename(path, aside) != 0) {
        weft_error_set(error, 301, "%s: %s, and it cannot be put aside: %s", path, why,
                       strerror(errno));
        return -1;
    }
    weft_error_set(&owner->renewed, 301,
                   "%s was damaged (%s): it is put aside as %s, and another key was made, so the "
                   "fingerprint is another one",
                   path, why, aside);
    return 0;
}

static int open_node_key(struct weft_owner *owner, const char *path, struct weft_error *error)
{
    char pem[FILE_BYTES_MAX];
    struct stat status;
    const ssize_t length = read_file(path, pem, sizeof(pem), &status);
    const bool is_absent = length == -ENOENT;
    const char *why = NULL;

    if (length >= 0 && ((status.st_mode & 077) != 0 || status.st_uid != geteuid()))
        return fail(error, path, "others may read it: chmod 600");
    if (length >= 0)
        why = take_pair(owner, pem);
    else if (length == -EINVAL || length == -EIO)
        why = length == -EIO ? strerror(EIO) : "no file of a key's size";
    else if (!is_absent)
        return fail(error, path, strerror((int)-length));
    if (why != NULL && put_aside(owner, path, why, error) != 0) return -1;
    if (why != NULL || is_absent) {
        if (make_key(path, pem, sizeof(pem), error) != 0) return -1;
        why = take_pair(owner, pem);
        if (why != NULL) return fail(error, path, why);
    }
    return take_fingerprint(owner, path, error);
}

// ---- Both of the owner's, and the node's.

static int read_owner(struct weft_owner *owner, const struct weft_owner_files *files,
                      struct weft_error *error)
{
    const bool has_token = files->token != NULL && files->token[0] != '\0';
    const bool has_key = files->key != NULL && files->key[0] != '\0';

    if (!has_token && !has_key)
        return weft_error_set(error, 301, "the owner has neither a token nor a key");
    struct weft_error *left_out = &owner->left_out;
    const bool token_ok = has_token && read_token(owner, files->token, left_out) == 0;
    const bool key_ok = has_key && read_key(owner, files->key, left_out) == 0;
    if (token_ok || key_ok) return 0;
    if (error != NULL) *error = *left_out;
    return -1;
}

int weft_owner_open(struct weft_owner *owner, const struct weft_owner_files *files,
                    struct weft_error *error)
{
    memset(owner, 0, sizeof(*owner));
    if (read_owner(owner, files, error) != 0) return -1;
    return open_node_key(owner, files->node_key, error);
}

bool weft_owner_admits(const struct weft_owner *owner, const char *authorization)
{
    char sent[sizeof(owner->token)] = "";
    if (authorization == NULL || strncasecmp(authorization, "Bearer ", 7) != 0) return false;
    const size_t length = strlen(authorization + 7);
    if (length < WEFT_OWNER_TOKEN_MIN || length > WEFT_OWNER_TOKEN_MAX) return false;
    if (owner->token[0] == '\0') return false;
    memcpy(sent, authorization + 7, length);
    return gnutls_memcmp(sent, owner->token, sizeof(sent)) == 0;
}

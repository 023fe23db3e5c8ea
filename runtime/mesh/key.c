#include "runtime/mesh/key.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/endian.h"

#define HEX_BYTES  (2 * WEFT_MESH_KEY_BYTES)
#define FILE_BYTES (HEX_BYTES + 1)

static int fail(struct weft_error *error, const char *what, const char *path, const char *why,
                int code)
{
    weft_error_set(error, 301, "%s %s: %s", what, path, why);
    weft_error_hint(error, "a file of 64 hex digits and a newline, mode 0600, owned by the user "
                           "that runs the node");
    return code;
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

static bool hex_read(const char text[FILE_BYTES], uint8_t bytes[WEFT_MESH_KEY_BYTES])
{
    for (size_t i = 0; i < WEFT_MESH_KEY_BYTES; i++) {
        const int high = digit_of(text[2 * i]), low = digit_of(text[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return text[HEX_BYTES] == '\n';
}

// Checked on the open descriptor, so that nobody can swap the file between the check and the read.
static const char *file_fault(int fd)
{
    struct stat status;
    if (fstat(fd, &status) != 0) return strerror(errno);
    if (!S_ISREG(status.st_mode)) return "not a plain file";
    if (status.st_uid != geteuid()) return "belongs to another user";
    if ((status.st_mode & 07777) != 0600 && (status.st_mode & 07777) != 0400)
        return "others may use it: chmod 600";
    if (status.st_size != FILE_BYTES) return "not 64 hex digits and a newline";
    return NULL;
}

static int secret_read(const char *what, const char *path, uint8_t bytes[WEFT_MESH_KEY_BYTES],
                       struct weft_error *error)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) return fail(error, what, path, strerror(errno), -errno);

    char text[FILE_BYTES + 1];
    const char *fault = file_fault(fd);
    if (fault == NULL) {
        const ssize_t length = read(fd, text, sizeof(text));
        if (length != FILE_BYTES || !hex_read(text, bytes)) {
            fault = "not 64 hex digits and a newline";
        }
    }
    close(fd);
    gnutls_memset(text, 0, sizeof(text));
    return fault == NULL ? 0 : fail(error, what, path, fault, -EACCES);
}

static int secret_make(const char *what, const char *path, const struct weft_entropy *entropy,
                       struct weft_error *error)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[WEFT_MESH_KEY_BYTES];
    char text[FILE_BYTES];

    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return fail(error, what, path, strerror(errno), -errno);

    weft_entropy_fill(entropy, bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    text[HEX_BYTES] = '\n';
    int result = 0;
    errno = EIO; // For a short write, which sets none.
    if (fchmod(fd, 0600) != 0 || write(fd, text, sizeof(text)) != (ssize_t)sizeof(text) ||
        fsync(fd) != 0) {
        result = -errno;
    }
    gnutls_memset(bytes, 0, sizeof(bytes));
    gnutls_memset(text, 0, sizeof(text));
    if (close(fd) != 0 && result == 0) result = -errno;
    if (result == 0) return 0;
    unlink(path);
    return fail(error, what, path, strerror(-result), result);
}

int weft_mesh_key_read(const char *path, struct weft_mesh_key *key, struct weft_error *error)
{
    return secret_read("cluster key", path, key->bytes, error);
}

int weft_mesh_key_generate(const char *path, const struct weft_entropy *entropy,
                           struct weft_error *error)
{
    return secret_make("cluster key", path, entropy, error);
}

uint64_t weft_mesh_id_of(const uint8_t public_key[WEFT_MESH_PUBLIC_KEY_BYTES])
{
    uint8_t digest[32];
    if (gnutls_hash_fast(GNUTLS_DIG_SHA256, public_key, WEFT_MESH_PUBLIC_KEY_BYTES, digest) != 0)
        return 0;
    return (uint64_t)weft_be32_get(digest) << 32 | weft_be32_get(digest + 4);
}

// GnuTLS derives the public half only from PKCS #8 (RFC 8410 §7), so the seed is dressed as that.
static int signer_init(gnutls_x509_privkey_t key, const uint8_t seed[WEFT_MESH_KEY_BYTES])
{
    uint8_t der[16 + WEFT_MESH_KEY_BYTES] = {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
                                             0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};
    memcpy(der + 16, seed, WEFT_MESH_KEY_BYTES);
    const gnutls_datum_t datum = {.data = der, .size = sizeof(der)};
    const int code = gnutls_x509_privkey_import(key, &datum, GNUTLS_X509_FMT_DER);
    gnutls_memset(der, 0, sizeof(der));
    return code;
}

static int public_key_of(gnutls_privkey_t signer, uint8_t public_key[WEFT_MESH_PUBLIC_KEY_BYTES])
{
    gnutls_ecc_curve_t curve;
    gnutls_datum_t x = {0}, y = {0}, k = {0};
    if (gnutls_privkey_export_ecc_raw(signer, &curve, &x, &y, &k) != 0) return -EIO;
    const bool fits = x.size == WEFT_MESH_PUBLIC_KEY_BYTES;
    if (fits) memcpy(public_key, x.data, WEFT_MESH_PUBLIC_KEY_BYTES);
    if (k.data != NULL) gnutls_memset(k.data, 0, k.size);
    gnutls_free(x.data);
    gnutls_free(y.data);
    gnutls_free(k.data);
    return fits ? 0 : -EIO;
}

int weft_mesh_identity_init(struct weft_mesh_identity *identity,
                            const uint8_t seed[WEFT_MESH_KEY_BYTES])
{
    gnutls_x509_privkey_t key;
    gnutls_privkey_t signer;

    *identity = (struct weft_mesh_identity){0};
    if (gnutls_x509_privkey_init(&key) != 0) return -EIO;
    if (gnutls_privkey_init(&signer) != 0) goto no_signer;
    if (signer_init(key, seed) != 0) goto no_key;
    if (gnutls_privkey_import_x509(signer, key, GNUTLS_PRIVKEY_IMPORT_COPY) != 0) goto no_key;
    if (public_key_of(signer, identity->public_key) != 0) goto no_key;
    identity->id = weft_mesh_id_of(identity->public_key);
    if (identity->id == 0) goto no_key; // 0 means "whoever reads it" on the wire.
    identity->signer = signer;
    gnutls_x509_privkey_deinit(key);
    return 0;

no_key:
    gnutls_privkey_deinit(signer);
no_signer:
    gnutls_x509_privkey_deinit(key);
    return -EIO;
}

void weft_mesh_identity_destroy(struct weft_mesh_identity *identity)
{
    if (identity->signer != NULL) gnutls_privkey_deinit((gnutls_privkey_t)identity->signer);
    *identity = (struct weft_mesh_identity){0};
}

int weft_mesh_identity_open(const char *path, const struct weft_entropy *entropy,
                            struct weft_mesh_identity *identity, struct weft_error *error)
{
    uint8_t seed[WEFT_MESH_KEY_BYTES];
    int result = 0;

    if (access(path, F_OK) != 0 && errno == ENOENT)
        result = secret_make("node identity", path, entropy, error);
    if (result == 0) result = secret_read("node identity", path, seed, error);
    if (result == 0) {
        result = weft_mesh_identity_init(identity, seed);
        if (result != 0) fail(error, "node identity", path, "the key was refused", result);
    }
    gnutls_memset(seed, 0, sizeof(seed));
    return result;
}

int weft_mesh_sign(const struct weft_mesh_identity *identity, struct weft_span message,
                   uint8_t signature[WEFT_MESH_SIGNATURE_BYTES])
{
    const gnutls_datum_t data = {.data = (uint8_t *)message.data, .size = (unsigned)message.length};
    gnutls_datum_t out = {0};
    if (gnutls_privkey_sign_data2((gnutls_privkey_t)identity->signer, GNUTLS_SIGN_EDDSA_ED25519, 0,
                                  &data, &out) != 0)
        return -EIO;
    const bool fits = out.size == WEFT_MESH_SIGNATURE_BYTES;
    if (fits) memcpy(signature, out.data, WEFT_MESH_SIGNATURE_BYTES);
    gnutls_free(out.data);
    return fits ? 0 : -EIO;
}

int weft_mesh_verify(const uint8_t public_key[WEFT_MESH_PUBLIC_KEY_BYTES], struct weft_span message,
                     const uint8_t signature[WEFT_MESH_SIGNATURE_BYTES])
{
    const gnutls_datum_t x = {.data = (uint8_t *)public_key, .size = WEFT_MESH_PUBLIC_KEY_BYTES};
    const gnutls_datum_t data = {.data = (uint8_t *)message.data, .size = (unsigned)message.length};
    const gnutls_datum_t sign = {.data = (uint8_t *)signature, .size = WEFT_MESH_SIGNATURE_BYTES};
    gnutls_pubkey_t key;

    if (gnutls_pubkey_init(&key) != 0) return -EBADMSG;
    int code = gnutls_pubkey_import_ecc_raw(key, GNUTLS_ECC_CURVE_ED25519, &x, NULL);
    if (code == 0) {
        code = gnutls_pubkey_verify_data2(key, GNUTLS_SIGN_EDDSA_ED25519, 0, &data, &sign);
    }
    gnutls_pubkey_deinit(key);
    return code >= 0 ? 0 : -EBADMSG;
}

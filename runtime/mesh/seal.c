#include "runtime/mesh/seal.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>

#include "runtime/base/endian.h"

#define KEY_BYTES   16
#define NONCE_BYTES 12

static const char info_label[8] = {'w', 'e', 'f', 't', 'm', 's', 'h', '1'};

struct info_wire { // HKDF's info: what the key is for.
    char label[8];
    uint32_t epoch;
    uint32_t reserved;
    uint64_t sender;
};
_Static_assert(sizeof(struct info_wire) == 24, "the info is a promise");

static int derive(const struct weft_mesh_key *key, uint32_t epoch, uint64_t sender,
                  const uint8_t salt[WEFT_SEAL_SALT_BYTES], uint8_t out[KEY_BYTES + 4])
{
    uint8_t extracted[32];
    struct info_wire info = {.reserved = 0};
    memcpy(info.label, info_label, sizeof(info.label));
    weft_le32_put(&info.epoch, epoch);
    weft_le64_put(&info.sender, sender);

    const gnutls_datum_t secret = {.data = (uint8_t *)key->bytes, .size = sizeof(key->bytes)};
    const gnutls_datum_t salted = {.data = (uint8_t *)salt, .size = WEFT_SEAL_SALT_BYTES};
    const gnutls_datum_t prk = {.data = extracted, .size = sizeof(extracted)};
    const gnutls_datum_t about = {.data = (uint8_t *)&info, .size = sizeof(info)};
    int code = gnutls_hkdf_extract(GNUTLS_MAC_SHA256, &secret, &salted, extracted);
    if (code == 0) code = gnutls_hkdf_expand(GNUTLS_MAC_SHA256, &prk, &about, out, KEY_BYTES + 4);
    gnutls_memset(extracted, 0, sizeof(extracted));
    return code == 0 ? 0 : -EIO;
}

int weft_seal_cipher_key(struct weft_seal_cipher *cipher, const struct weft_mesh_key *key,
                         uint32_t epoch, uint64_t sender, const uint8_t salt[WEFT_SEAL_SALT_BYTES])
{
    uint8_t derived[KEY_BYTES + 4];
    const gnutls_datum_t datum = {.data = derived, .size = KEY_BYTES};

    int code = derive(key, epoch, sender, salt, derived);
    if (code == 0) {
        // Made anew: gnutls_aead_cipher_set_key of 3.7.9 leaves the old key's GHASH table in place
        // with the accelerated ciphers, and so computes tags that nobody else does. 0.2 us.
        weft_seal_cipher_destroy(cipher);
        gnutls_aead_cipher_hd_t handle = NULL;
        code = gnutls_aead_cipher_init(&handle, GNUTLS_CIPHER_AES_128_GCM, &datum);
        if (code == 0) cipher->handle = handle;
    }
    memcpy(cipher->iv, derived + KEY_BYTES, sizeof(cipher->iv));
    gnutls_memset(derived, 0, sizeof(derived));
    return code == 0 ? 0 : -EIO;
}

void weft_seal_cipher_destroy(struct weft_seal_cipher *cipher)
{
    if (cipher->handle != NULL) gnutls_aead_cipher_deinit((gnutls_aead_cipher_hd_t)cipher->handle);
    *cipher = (struct weft_seal_cipher){0};
}

int weft_seal_header_read(struct weft_span datagram, uint32_t epoch, size_t length_max,
                          struct weft_seal_wire *header, enum weft_drop *drop)
{
    if (datagram.length < WEFT_SEAL_OVERHEAD_BYTES) return *drop = WEFT_DROP_MESH_SHORT, -1;
    const uint8_t *at = datagram.data;
    *header = (struct weft_seal_wire){
        .magic = weft_le32_get(at),
        .version = at[offsetof(struct weft_seal_wire, version)],
        .type = at[offsetof(struct weft_seal_wire, type)],
        .flags = weft_le16_get(at + offsetof(struct weft_seal_wire, flags)),
        .epoch = weft_le32_get(at + offsetof(struct weft_seal_wire, epoch)),
        .reserved = weft_le32_get(at + offsetof(struct weft_seal_wire, reserved)),
        .sender = weft_le64_get(at + offsetof(struct weft_seal_wire, sender)),
        .to = weft_le64_get(at + offsetof(struct weft_seal_wire, to)),
        .counter = weft_le64_get(at + offsetof(struct weft_seal_wire, counter)),
    };
    memcpy(header->salt, at + offsetof(struct weft_seal_wire, salt), sizeof(header->salt));

    if (header->magic != WEFT_SEAL_MAGIC || header->version != WEFT_SEAL_VERSION)
        return *drop = WEFT_DROP_MESH_VERSION, -1;
    if (datagram.length > length_max) return *drop = WEFT_DROP_MESH_MALFORMED, -1;
    if (header->epoch != epoch) return *drop = WEFT_DROP_MESH_EPOCH, -1;
    if (header->sender == 0 || header->counter == 0) return *drop = WEFT_DROP_MESH_MALFORMED, -1;
    return 0;
}

static void nonce_of(const struct weft_seal_cipher *cipher, uint64_t counter,
                     uint8_t nonce[NONCE_BYTES])
{
    memcpy(nonce, cipher->iv, sizeof(cipher->iv));
    weft_le64_put(nonce + sizeof(cipher->iv), counter);
}

static void header_write(const struct weft_seal_wire *header, uint8_t *at)
{
    weft_le32_put(at, WEFT_SEAL_MAGIC);
    at[offsetof(struct weft_seal_wire, version)] = header->version;
    at[offsetof(struct weft_seal_wire, type)] = header->type;
    weft_le16_put(at + offsetof(struct weft_seal_wire, flags), header->flags);
    weft_le32_put(at + offsetof(struct weft_seal_wire, epoch), header->epoch);
    weft_le32_put(at + offsetof(struct weft_seal_wire, reserved), header->reserved);
    weft_le64_put(at + offsetof(struct weft_seal_wire, sender), header->sender);
    weft_le64_put(at + offsetof(struct weft_seal_wire, to), header->to);
    memcpy(at + offsetof(struct weft_seal_wire, salt), header->salt, sizeof(header->salt));
    weft_le64_put(at + offsetof(struct weft_seal_wire, counter), header->counter);
}

int weft_seal(struct weft_seal_cipher *cipher, const struct weft_seal_wire *header,
              struct weft_span body, uint8_t *datagram)
{
    uint8_t nonce[NONCE_BYTES];
    size_t length = body.length + WEFT_SEAL_TAG_BYTES;

    header_write(header, datagram);
    nonce_of(cipher, header->counter, nonce);
    if (gnutls_aead_cipher_encrypt((gnutls_aead_cipher_hd_t)cipher->handle, nonce, sizeof(nonce),
                                   datagram, WEFT_SEAL_HEADER_BYTES, WEFT_SEAL_TAG_BYTES, body.data,
                                   body.length, datagram + WEFT_SEAL_HEADER_BYTES, &length) != 0)
        return -EIO;
    return (int)(WEFT_SEAL_HEADER_BYTES + length);
}

int weft_seal_open(struct weft_seal_cipher *cipher, const struct weft_seal_wire *header,
                   struct weft_span datagram, uint8_t *body)
{
    uint8_t nonce[NONCE_BYTES];
    size_t length = datagram.length - WEFT_SEAL_OVERHEAD_BYTES;

    nonce_of(cipher, header->counter, nonce);
    if (gnutls_aead_cipher_decrypt((gnutls_aead_cipher_hd_t)cipher->handle, nonce, sizeof(nonce),
                                   datagram.data, WEFT_SEAL_HEADER_BYTES, WEFT_SEAL_TAG_BYTES,
                                   datagram.data + WEFT_SEAL_HEADER_BYTES,
                                   datagram.length - WEFT_SEAL_HEADER_BYTES, body, &length) != 0)
        return -EBADMSG;
    return (int)length;
}

# keys.sh: sourced by `./do image`. The keys that sign: one for Secure Boot (RSA, what firmware knows), one for
# updates and checksums (Ed25519). They lie in build-image/keys, which git ignores, and never leave this machine.
# shellcheck shell=sh

new_keys() {
    if [ -f "$keys/update.key" ] && [ "$(cat "$keys/purpose" 2>/dev/null)" != 'test keys' ]; then
        die "image: $keys has keys: nodes that were flashed with them take no others. Move them away to make new ones"
    fi
    mkdir -p "$keys"
    chmod 700 "$keys"
    openssl req -new -x509 -newkey rsa:2048 -nodes -sha256 -days 7300 -subj "/CN=Weft image, $1/" \
        -keyout "$keys/secure-boot.key" -out "$keys/secure-boot.crt" 2>/dev/null
    openssl x509 -in "$keys/secure-boot.crt" -outform DER -out "$keys/secure-boot.der" # What a firmware's menu enrols.
    # The same key in all three places of the firmware's; systemd-boot enrols these files where the firmware is in setup mode.
    owner=57454654-0000-4000-8000-0000000000ff
    sbsiglist --owner $owner --type x509 --output "$keys/weft.esl" "$keys/secure-boot.der"
    for place in PK KEK db; do
        sbvarsign --attr NON_VOLATILE,RUNTIME_ACCESS,BOOTSERVICE_ACCESS,TIME_BASED_AUTHENTICATED_WRITE_ACCESS \
            --key "$keys/secure-boot.key" --cert "$keys/secure-boot.crt" --output "$keys/$place.auth" $place "$keys/weft.esl"
    done
    rm -f "$keys/weft.esl"
    openssl genpkey -algorithm ed25519 -out "$keys/update.key"
    openssl pkey -in "$keys/update.key" -pubout -out "$keys/update.pub"
    chmod 600 "$keys/"*.key
    printf '%s\n' "$1" >"$keys/purpose"
}

find_keys() {
    if [ ! -f "$keys/update.key" ] || [ ! -f "$keys/secure-boot.key" ]; then
        new_keys 'test keys'
        say '*** There were no keys: this image is signed with test keys made now (build-image/keys).'
        say '*** ./do image --new-keys makes those of your own; keep them: a node takes updates of no others.'
    fi
}

# sbom.sh: sourced by `./do image`. What is in the image, as SPDX 2.3 in JSON: out of the lock, and nothing else.
# shellcheck shell=sh

# spdx_package ID NAME VERSION DOWNLOAD-LOCATION HASH
spdx_package() {
    printf ',\n    {"SPDXID": "SPDXRef-%s", "name": "%s", "versionInfo": "%s", "downloadLocation": "%s", "filesAnalyzed": false,\n     "licenseConcluded": "NOASSERTION", "licenseDeclared": "NOASSERTION", "copyrightText": "NOASSERTION"%s}' \
        "$1" "$2" "$3" "$4" "${5:+, \"checksums\": [{\"algorithm\": \"SHA256\", \"checksumValue\": \"$5\"\}]}"
}

make_sbom() {
    created=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)
    root_sum=$(sha256sum "$out/root.erofs" | cut -d' ' -f1)
    locked >"$out/lines"
    {
        printf '{\n  "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",\n  "name": "%s",\n' "$name"
        printf '  "documentNamespace": "urn:weft:image:%s:%s",\n' "$name" "$root_sum"
        printf '  "creationInfo": {"created": "%s", "creators": ["Tool: weft-image-%s"]},\n  "packages": [\n' "$created" "$version"
        printf '    {"SPDXID": "SPDXRef-weft", "name": "weft", "versionInfo": "%s", "downloadLocation": "NOASSERTION", "filesAnalyzed": false,\n     "licenseConcluded": "MIT", "licenseDeclared": "MIT", "copyrightText": "NOASSERTION"}' "$version"
        if [ -z "$flavour" ]; then spdx_package linux linux-source-6.12 "$(cat "$out/kernel.version")" NOASSERTION ''
        else spdx_package linux "$debian_package" "$debian_version" "pkg:deb/debian/$debian_package@$debian_version?arch=$arch" "$debian_hash"
        fi
        while read -r package package_version hash; do
            spdx_package "$package" "$package" "$package_version" "pkg:deb/debian/$package@$package_version?arch=$arch" "$hash"
        done <"$out/lines"
        printf '\n  ],\n  "relationships": [\n    {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-weft"}'
        while read -r package package_version hash; do
            printf ',\n    {"spdxElementId": "SPDXRef-weft", "relationshipType": "DEPENDS_ON", "relatedSpdxElement": "SPDXRef-%s"}' "$package"
        done <"$out/lines"
        printf ',\n    {"spdxElementId": "SPDXRef-weft", "relationshipType": "DEPENDS_ON", "relatedSpdxElement": "SPDXRef-linux"}\n  ]\n}\n'
    } >"$out/$name.spdx.json"
    rm -f "$out/lines"
}

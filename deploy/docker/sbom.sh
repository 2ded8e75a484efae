#!/bin/sh
# What an image is made of, as SPDX 2.3: sbom.sh PROGRAM... for Debian's packages, as dpkg knows
# them, and these programs. Their licences are in /usr/share/doc/PACKAGE/copyright.
set -eu

name=${1##*/}
when=$(date -u -d "@${SOURCE_DATE_EPOCH:-$(date +%s)}" +%Y-%m-%dT%H:%M:%SZ)
{
  for program in "$@"; do
    printf '%s\t%s\t-\n' "${program##*/}" "$("$program" --version | awk '{ print $NF; exit }')"
  done
  # shellcheck disable=SC2016
  dpkg-query -W -f '${db:Status-Abbrev}\t${Package}\t${Version}\t${Architecture}\n' |
    sed -n 's/^ii \t//p'
} | awk -F '\t' -v name="$name" -v when="$when" '
  # What is no plain character of a package URL, or of an identifier.
  function escaped(text) {
    gsub(/%/, "%25", text); gsub(/\+/, "%2B", text); gsub(/:/, "%3A", text)
    return text
  }
  function identifier(text) {
    gsub(/[^A-Za-z0-9.-]/, "-", text)
    return "SPDXRef-" NR "-" text
  }
  function comma(first) { return first ? "" : "," }
  BEGIN {
    print "{\"spdxVersion\": \"SPDX-2.3\", \"dataLicense\": \"CC0-1.0\","
    printf " \"SPDXID\": \"SPDXRef-DOCUMENT\", \"name\": \"%s\",\n", name
    printf " \"documentNamespace\": \"https://starratings.invalid/%s/%s\",\n", name, when
    printf " \"creationInfo\": {\"created\": \"%s\", \"creators\": [\"Tool: sbom.sh\"]},\n", when
    printf " \"packages\": ["
  }
  {
    related[NR] = identifier($1)
    printf "%s\n  {\"name\": \"%s\", \"SPDXID\": \"%s\",", comma(NR == 1), $1, related[NR]
    printf " \"versionInfo\": \"%s\", \"filesAnalyzed\": false,", $2
    printf " \"downloadLocation\": \"NOASSERTION\""
    if ($3 != "-") {
      printf ",\n   \"externalRefs\": [{\"referenceCategory\": \"PACKAGE-MANAGER\","
      printf " \"referenceType\": \"purl\","
      printf " \"referenceLocator\": \"pkg:deb/debian/%s@%s?arch=%s\"}]", \
        escaped($1), escaped($2), $3
    }
    printf "}"
  }
  END {
    printf "],\n \"relationships\": ["
    for (i = 1; i <= NR; i++) {
      printf "%s\n  {\"spdxElementId\": \"SPDXRef-DOCUMENT\",", comma(i == 1)
      printf " \"relationshipType\": \"DESCRIBES\", \"relatedSpdxElement\": \"%s\"}", related[i]
    }
    print "]}"
  }'

import { quoteWord } from '../step/shell.ts';
import { type CertificateAction, CLOCK_SKEW, type KeyPairFiles, type Value } from '../step/step.ts';

type Render = (value: Value) => string;

/** An action as lines of bash, for a script that has {@link CERTIFICATE_FUNCTIONS}. */
export function renderCertificate(action: CertificateAction, render: Render): string[] {
  const pair = ({ certificate, key }: KeyPairFiles) => `${render(certificate)} ${render(key)}`;
  switch (action.do) {
    case 'make': {
      const { name, seconds, pathLength, files, signer, replaces } = action;
      const make = `make_certificate ${quoteWord(name)} ${seconds} ${pathLength} ${pair(files)}${signer ? ` ${pair(signer)}` : ''}`;
      return [replaces ? make : `[ -e ${render(files.certificate)} ] || ${make}`];
    }
    case 'bundle':
      return [`bundle_certificates ${render(action.to)} ${action.from.map(render).join(' ')}`];
    case 'move':
      return (['key', 'certificate'] as const).map((part) => {
        const from = render(action.from[part]);
        return `[ ! -e ${from} ] || mv -f ${from} ${render(action.to[part])}`;
      });
    case 'remove':
      return [`rm -f ${action.files.map(render).join(' ')}`];
  }
}

/** `openssl ca`, because only that sets both dates in every version of OpenSSL that is around. */
export const CERTIFICATE_FUNCTIONS = `(umask 077 && mkdir -p "$STATE/certificates")

# stamp SECONDS: that many seconds from now on, as openssl writes a time
stamp() {
  local at=$(($(date +%s) + $1))
  date -u -d "@$at" +%Y%m%d%H%M%SZ 2>/dev/null || date -u -r "$at" +%Y%m%d%H%M%SZ
}

# make_certificate NAME SECONDS PATHLENGTH CERTIFICATE KEY [SIGNER SIGNERS_KEY]: a P-256 key and a CA certificate for it
make_certificate() (
  umask 077
  dir=$(mktemp -d)
  trap 'rm -rf "$dir"' EXIT
  : >"$dir/index"
  cat >"$dir/config" <<CONFIG
[ca]
default_ca = lab
[lab]
database = $dir/index
new_certs_dir = $dir
rand_serial = yes
default_md = sha256
policy = names
x509_extensions = issuer
unique_subject = no
[names]
commonName = supplied
[issuer]
basicConstraints = critical, CA:true, pathlen:$3
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
\${6:+authorityKeyIdentifier = keyid, issuer}
[req]
distinguished_name = nobody
[nobody]
CONFIG
  openssl ecparam -name prime256v1 -genkey -noout -out "$dir/key"
  openssl req -new -config "$dir/config" -key "$dir/key" -subj "/CN=$1" -out "$dir/request"
  if [ -n "\${6:-}" ]; then signer=(-cert "$6" -keyfile "$7"); else signer=(-selfsign -keyfile "$dir/key"); fi
  openssl ca -batch -notext -config "$dir/config" "\${signer[@]}" -in "$dir/request" -out "$dir/certificate" \\
    -startdate "$(stamp -${CLOCK_SKEW})" -enddate "$(stamp "$2")" 2>"$dir/said" || { cat "$dir/said" >&2; return 1; }
  mv -f "$dir/key" "$5"
  mv -f "$dir/certificate" "$4"
)

# bundle_certificates TO FROM...: all certificates of some files in one
bundle_certificates() (
  umask 077
  to=$1
  shift
  sed -n '/-BEGIN CERTIFICATE-/,/-END CERTIFICATE-/p' "$@" >"$to.new"
  mv -f "$to.new" "$to"
)`;

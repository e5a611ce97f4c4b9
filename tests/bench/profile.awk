# Lines "share% object symbol" of perf report, summed by what they are for. What OpenSSL's internal functions are called is not in
# Debian's library, so it is one row: of signatures the server's own counters tell. Made for scripts/bench --profile.
function kind(object, symbol) {
	if (object ~ /hogweed|nettle|gmp/)
		return "RSA key generation (nettle, GMP)"
	if (object ~ /crypto/)
		return "OpenSSL: signatures, proofs of keys, the verifications of lint, hashes, DER"
	if (object ~ /sqlite/)
		return "SQLite"
	if (object ~ /libz/)
		return "compressing (zlib)"
	if (object ~ /expat/)
		return "XML (expat): the self-check"
	if (object ~ /gnutls|microhttpd|tasn1/)
		return "HTTPS"
	if (object ~ /kernel|\[guest|vmlinux/)
		return "kernel: files, sockets, scheduling"
	if (object ~ /libc[.-]|ld-linux/)
		return "libc: memory, copying"
	if (symbol ~ /lint_/)
		return "lint"
	if (symbol ~ /rrdp_|snapshot|delta|base64|xml|check_/)
		return "RRDP, base64, the self-check"
	if (symbol ~ /der_|certificate|manifest|crl|roa_|signed_object|template/)
		return "DER (our part)"
	return "the rest of our code"
}

{
	symbol = $0
	sub(/^ *[^ ]+ +[^ ]+ +/, "", symbol)
	sum[kind($2, symbol)] += $1
}

END {
	for (what in sum)
		printf "%6.2f%%  %s\n", sum[what], what | "sort -rn"
}

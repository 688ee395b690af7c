# SPDX-License-Identifier: GPL-2.0-or-later
# Lines "ROW VARIANT ROUND VALUE" to a table of one row: the value as measured, what is added to "none" of the same round, and how
# that compares with what each reference adds in the same round. Median (min to max).
function median(v, n,    i, j, t) {
	for (i = 1; i <= n; i++) for (j = i + 1; j <= n; j++) if (v[j] < v[i]) { t = v[i]; v[i] = v[j]; v[j] = t }
	if (!n) return "-"
	return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
}
function show(v, n, format,    m) {
	m = median(v, n)
	return n ? sprintf(format " (" format " to " format ")", m, v[1], v[n]) : "-"
}
$1 == row {
	if (!($2 in seen)) { seen[$2] = 1; names[++nr_names] = $2 }
	value[$2, $3] = $4
	if ($3 > nr_rounds) nr_rounds = $3
}
END {
	nr_refs = split(refs, ref, " ")
	line = "| tracer | " unit " | added |"
	rule = "|---|---|---|"
	for (r = 1; r <= nr_refs; r++) { line = line " x " ref[r] " |"; rule = rule "---|" }
	print line; print rule
	for (k = 1; k <= nr_names; k++) {
		name = names[k]
		n = na = 0
		for (i = 1; i <= nr_rounds; i++) {
			if (!((name, i) in value)) continue
			v[++n] = value[name, i]
			if (("none", i) in value) added[++na] = (value[name, i] - value["none", i]) / per
		}
		line = "| " name " | " show(v, n, "%.4g") " | " (name == "none" ? "" : show(added, na, "%.4g")) " |"
		for (r = 1; r <= nr_refs; r++) {
			nq = 0
			for (i = 1; i <= nr_rounds; i++) {
				if (!((name, i) in value) || !((ref[r], i) in value) || !(("none", i) in value)) continue
				base = value[ref[r], i] - value["none", i]
				if (base > 0) q[++nq] = (value[name, i] - value["none", i]) / base
			}
			line = line " " (name == "none" || name == ref[r] ? "" : show(q, nq, "%.2f")) " |"
		}
		print line
	}
}

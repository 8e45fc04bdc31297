/* SPDX-License-Identifier: MIT
 *
 * Variables as such: reading them, and rows about those with few values.
 */
#include <string.h>
#include <strings.h>

#include "base/words.h"
#include "check/env.h"
#include "check/offenders.h"

int pit_env_get(struct pit_facts *f, const char *name, const char **ret, struct pit_error *err)
{
	const struct pit_strv *env;
	int rc = pit_facts_environ(f, &env, err);

	if (!rc)
		*ret = pit_facts_env(f, name);
	return rc;
}

int pit_env_split(const char *text, char separator, struct pit_strv *ret)
{
	for (;;) {
		const char *end = strchrnul(text, separator);
		int rc = pit_strv_add_len(ret, text, (size_t)(end - text));

		if (rc || !*end)
			return rc;
		text = end + 1;
	}
}

bool pit_env_is_missing(struct pit_facts *f, const char *path)
{
	return pit_root_state(pit_root_exists(pit_facts_root(f), "%s", path)) == PIT_STATE_ABSENT;
}

static bool has(const char *words, const char *value)
{
	return !strcmp(words, "*") || pit_words_have_in_any_case(words, " ", value);
}

int pit_env_flags_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			struct pit_error *err)
{
	struct pit_offenders p = {0};
	const char *value, *last = NULL, *name = NULL;
	int rc;

	for (const struct pit_env_flag *flag = row->arg; flag->name; flag++) {
		rc = pit_env_get(f, flag->name, &value, err);
		if (rc)
			return rc;
		if (!value || !*value)
			continue;
		last = value;
		name = flag->name;
		if (flag->good ? !has(flag->good, value) : has(flag->bad, value))
			pit_problem(&p, out, flag->name, "%s=%.60s: %s", flag->name, value, flag->what);
	}
	if (p.count)
		return pit_bad(out, "%s", pit_offenders_text(&p));
	return last ? pit_pass(out, "%s=%.60s", name, last) : pit_pass(out, "unset");
}

int pit_env_allowed_cpus(struct pit_facts *f, struct pit_idset *ret, struct pit_error *err)
{
	const struct pit_topo *topo;
	struct pit_text text;
	char list[1024];
	int pid = pit_facts_options(f)->pid, rc;

	if (pid) {
		rc = pit_root_read(pit_facts_root(f), &text, "/proc/%d/status", pid);
		if (!rc)
			rc = pit_kv_str(text.data, "Cpus_allowed_list", list, sizeof(list));
		if (!rc)
			rc = pit_idset_parse(list, ret, NULL);
		return rc ? pit_fail(err, -rc, "Cpus_allowed_list of process %d", pid) : 0;
	}
	rc = pit_facts_topo(f, &topo, err);
	if (rc)
		return rc;
	rc = pit_idset_copy(ret, pit_idset_is_empty(&topo->allowed.cpus) ? &topo->cpus.online : &topo->allowed.cpus);
	if (!rc && pit_idset_is_empty(ret))
		return pit_fail(err, ENOENT, "the CPUs that may be used");
	return rc;
}

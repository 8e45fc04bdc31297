/* SPDX-License-Identifier: MIT
 *
 * Settings of memory allocators.
 */
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/parse.h"
#include "check/env.h"
#include "check/offenders.h"

enum form { FORM_ANY, FORM_BOOL, FORM_NUMBER, FORM_SHARE, FORM_BACKEND };

/* Options of PyTorch's caching allocators, of all versions: PyTorch refuses to start on any other. */
static const struct {
	const char *key;
	enum form form;
} options[] = {
	{"backend", FORM_BACKEND},
	{"expandable_segments", FORM_BOOL},
	{"expandable_segments_reserve", FORM_ANY},
	{"garbage_collection_threshold", FORM_SHARE},
	{"graph_capture_record_stream_reuse", FORM_BOOL},
	{"large_segment_size_mb", FORM_NUMBER},
	{"max_non_split_rounding_mb", FORM_NUMBER},
	{"max_split_size_mb", FORM_NUMBER},
	{"per_process_memory_fraction", FORM_SHARE},
	{"pinned_max_cached_size_mb", FORM_NUMBER},
	{"pinned_max_power2_size_mb", FORM_NUMBER},
	{"pinned_max_round_threshold_mb", FORM_NUMBER},
	{"pinned_num_register_threads", FORM_NUMBER},
	{"pinned_reserve_segment_size_mb", FORM_NUMBER},
	{"pinned_use_background_threads", FORM_BOOL},
	{"pinned_use_cuda_host_register", FORM_BOOL},
	{"pinned_use_hip_host_register", FORM_BOOL},
	{"release_lock_on_cudamalloc", FORM_BOOL},
	{"release_lock_on_hipmalloc", FORM_BOOL},
	{"roundup_bypass_threshold_mb", FORM_NUMBER},
	{"roundup_power2_divisions", FORM_ANY},
	{"throw_on_cudamalloc_oom", FORM_BOOL},
	{"use_async_allocator", FORM_BOOL},
};

static bool fits(const char *value, enum form form)
{
	uint64_t n;
	double share;

	switch (form) {
	case FORM_BOOL:
		return !strcmp(value, "True") || !strcmp(value, "False") || !strcmp(value, "true") ||
		       !strcmp(value, "false");
	case FORM_NUMBER:
		return !pit_parse_u64(value, &n);
	case FORM_SHARE:
		return !pit_parse_double(value, &share) && share > 0 && share <= 1;
	case FORM_BACKEND:
		return !strcmp(value, "native") || !strcmp(value, "cudaMallocAsync") ||
		       !strcmp(value, "hipMallocAsync");
	default:
		return *value != '\0';
	}
}

static void judge_option(const char *key, const char *value, struct pit_buf *problem)
{
	uint64_t n;

	for (size_t i = 0; i < PIT_COUNT(options); i++) {
		if (strcmp(options[i].key, key) != 0)
			continue;
		if (!fits(value, options[i].form))
			pit_buf_printf(problem, "%s:%.40s is no value for it", key, value);
		else if (!strcmp(key, "max_split_size_mb") && !pit_parse_u64(value, &n) && n <= 20)
			pit_buf_printf(problem, "max_split_size_mb must be above 20, not %s", value);
		return;
	}
	pit_buf_printf(problem, "unknown option '%.40s'", key);
}

/* Length of a "key:value" item: commas inside of brackets belong to it. */
static size_t item_length(const char *text)
{
	size_t n = 0;
	int depth = 0;

	for (; text[n] && (depth > 0 || text[n] != ','); n++)
		depth += text[n] == '[' ? 1 : text[n] == ']' ? -1 : 0;
	return n;
}

void pit_env_alloc_conf(const char *text, struct pit_buf *ret_problem)
{
	bool expandable = false, async = false;

	while (*text && !ret_problem->len) {
		size_t len = item_length(text);
		char item[256], trimmed[256], *colon;

		snprintf(item, sizeof(item), "%.*s", (int)len, text);
		pit_first_line(item, trimmed, sizeof(trimmed));
		colon = strchr(trimmed, ':');
		if (!colon) {
			pit_buf_printf(ret_problem, "'%.40s' is no key:value", trimmed);
			return;
		}
		*colon = '\0';
		judge_option(trimmed, colon + 1, ret_problem);
		expandable |= !strcmp(trimmed, "expandable_segments") && !strcasecmp(colon + 1, "true");
		async |= !strcmp(trimmed, "backend") && strstr(colon + 1, "MallocAsync");
		text += len + (text[len] == ',');
	}
	if (!ret_problem->len && expandable && async)
		pit_buf_puts(ret_problem, "expandable_segments has no effect with the asynchronous backend");
}

static const char *const alloc_names[] = {"PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_HIP_ALLOC_CONF"};

int pit_env_alloc_conf_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			     struct pit_error *err)
{
	struct pit_offenders p = {0};
	const char *value, *seen = NULL;

	pit_want(out, "known options as key:value,key:value");
	for (size_t i = 0; i < PIT_COUNT(alloc_names); i++) {
		pit_auto_buf struct pit_buf problem = PIT_BUF_INIT;
		int rc = pit_env_get(f, alloc_names[i], &value, err);

		if (rc)
			return rc;
		if (!value || !*value)
			continue;
		seen = value;
		pit_env_alloc_conf(value, &problem);
		if (problem.len)
			pit_problem(&p, out, alloc_names[i], "%s", problem.data);
	}
	if (p.count)
		return pit_bad(out, "%s", pit_offenders_text(&p));
	return pit_pass(out, "%.60s", seen ? seen : "unset");
}

int pit_env_alloc_names_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			      struct pit_error *err)
{
	const char *now, *old = NULL, *name = NULL;
	int rc = pit_env_get(f, alloc_names[0], &now, err);

	for (size_t i = 1; i < PIT_COUNT(alloc_names) && !rc && !old; i++) {
		rc = pit_env_get(f, alloc_names[i], &old, err);
		name = alloc_names[i];
	}
	if (rc)
		return rc;
	pit_want(out, "PYTORCH_ALLOC_CONF for 2.9 and later, else PYTORCH_CUDA_ALLOC_CONF");
	if (now && old && strcmp(now, old) != 0) {
		pit_evidence(out, alloc_names[0], "%s", now);
		pit_evidence(out, name, "%s", old);
		return pit_bad(out, "PYTORCH_ALLOC_CONF and %s differ", name);
	}
	if (old && !now)
		return pit_pass(out, "%s, the name before PyTorch 2.9", name);
	return pit_pass(out, "%s", now ? alloc_names[0] : "unset");
}

int pit_env_xla_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out, struct pit_error *err)
{
	static const char *const names[] = {"XLA_PYTHON_CLIENT_MEM_FRACTION", "XLA_CLIENT_MEM_FRACTION"};
	struct pit_offenders p = {0};
	const char *value, *seen = NULL, *unified, *allocator;
	double share;
	int rc = pit_env_get(f, "TF_FORCE_UNIFIED_MEMORY", &unified, err);

	if (!rc)
		rc = pit_env_get(f, "XLA_PYTHON_CLIENT_ALLOCATOR", &allocator, err);
	for (size_t i = 0; i < PIT_COUNT(names) && !rc; i++) {
		rc = pit_env_get(f, names[i], &value, err);
		if (rc || !value || !*value)
			continue;
		seen = value;
		if (pit_parse_double(value, &share) || !(share > 0) || (share > 1 && !unified))
			pit_problem(&p, out, names[i], "%s='%s' is no share from 0 to 1", names[i], value);
	}
	if (rc)
		return rc;
	pit_want(out, "a share such as 0.75; no allocator 'platform'");
	if (allocator && !strcmp(allocator, "platform"))
		pit_problem(&p, out, "XLA_PYTHON_CLIENT_ALLOCATOR", "the allocator 'platform' is for debugging");
	if (p.count)
		return pit_bad(out, "%s", pit_offenders_text(&p));
	return pit_pass(out, "%s", seen ? seen : "unset");
}

/* Options of jemalloc 5 that people set; "opt." names of mallctl without the prefix. */
static const char *const jemalloc_keys[] = {
	"abort",
	"abort_conf",
	"background_thread",
	"cache_oblivious",
	"confirm_conf",
	"dirty_decay_ms",
	"dss",
	"hpa",
	"junk",
	"lg_chunk",
	"lg_dirty_mult",
	"lg_extent_max_active_fit",
	"lg_tcache_max",
	"max_background_threads",
	"metadata_thp",
	"muzzy_decay_ms",
	"narenas",
	"oversize_threshold",
	"percpu_arena",
	"prof",
	"prof_accum",
	"prof_active",
	"prof_final",
	"prof_gdump",
	"prof_leak",
	"prof_prefix",
	"lg_prof_interval",
	"lg_prof_sample",
	"prof_thread_active_init",
	"retain",
	"slab_sizes",
	"stats_interval",
	"stats_interval_opts",
	"stats_print",
	"stats_print_opts",
	"tcache",
	"tcache_max",
	"thp",
	"trust_madvise",
	"utrace",
	"xmalloc",
	"zero",
	"zero_realloc",
	"experimental_infallible_new",
	"prof_log",
	"decay_time",
	"purge",
};

void pit_env_malloc_conf(const char *text, struct pit_buf *ret_problem)
{
	while (*text && !ret_problem->len) {
		size_t len = strcspn(text, ","), key = strcspn(text, ":,");
		bool known = false;

		if (key >= len || key + 1 == len) {
			pit_buf_printf(ret_problem, "'%.*s' is no key:value", (int)(len < 40 ? len : 40), text);
			return;
		}
		for (size_t i = 0; i < PIT_COUNT(jemalloc_keys); i++)
			known |= strlen(jemalloc_keys[i]) == key && !strncmp(jemalloc_keys[i], text, key);
		if (!known)
			pit_buf_printf(ret_problem, "unknown option '%.*s'", (int)(key < 40 ? key : 40), text);
		text += len + (text[len] == ',');
	}
}

int pit_env_malloc_conf_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			      struct pit_error *err)
{
	pit_auto_buf struct pit_buf problem = PIT_BUF_INIT;
	const char *value, *preload;
	int rc = pit_env_get(f, "MALLOC_CONF", &value, err);

	if (!rc)
		rc = pit_env_get(f, "LD_PRELOAD", &preload, err);
	if (rc)
		return rc;
	pit_want(out, "known options, with jemalloc in LD_PRELOAD or in the program");
	if (!value || !*value)
		return pit_pass(out, "unset");
	pit_evidence(out, "MALLOC_CONF", "%s", value);
	pit_env_malloc_conf(value, &problem);
	if (problem.len)
		return pit_bad(out, "%s", problem.data);
	if (!preload || !strstr(preload, "jemalloc"))
		return pit_judge(out, PIT_WARN, PIT_STYLE, "set, but jemalloc is not preloaded");
	return pit_pass(out, "%.60s", value);
}

int pit_env_tcmalloc_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			   struct pit_error *err)
{
	const struct pit_strv *env;
	const char *preload, *seen = NULL;
	int rc = pit_facts_environ(f, &env, err);

	if (rc)
		return rc;
	preload = pit_facts_env(f, "LD_PRELOAD");
	for (size_t i = 0; i < env->count; i++) {
		if (strncmp(env->item[i], "TCMALLOC_", 9) != 0)
			continue;
		seen = env->item[i];
		pit_evidence(out, "environment", "%s", seen);
	}
	pit_want(out, "libtcmalloc in LD_PRELOAD");
	if (!seen)
		return pit_pass(out, "unset");
	if (!preload || !strstr(preload, "tcmalloc"))
		return pit_bad(out, "%.*s set, but tcmalloc is not preloaded", (int)strcspn(seen, "="), seen);
	return pit_pass(out, "tcmalloc is preloaded");
}

int pit_env_arenas_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			 struct pit_error *err)
{
	pit_auto_idset struct pit_idset allowed = {0};
	const char *value;
	uint64_t arenas;
	int rc = pit_env_get(f, "MALLOC_ARENA_MAX", &value, err);

	if (rc)
		return rc;
	pit_want(out, "2 or more where many threads allocate");
	if (!value || !*value)
		return pit_pass(out, "unset");
	if (pit_parse_u64(value, &arenas) || !arenas)
		return pit_bad(out, "'%s' is no number of arenas", value);
	rc = pit_env_allowed_cpus(f, &allowed, err);
	if (rc)
		return rc;
	if (arenas == 1 && pit_idset_count(&allowed) >= 8)
		return pit_bad(out, "1 arena for threads on %zu CPUs", pit_idset_count(&allowed));
	return pit_pass(out, "%s", value);
}

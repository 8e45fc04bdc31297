/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "host/runtime_cache.h"
#include "topo/parts.h"

#define CACHES_MAX 32768 /* four for each of the 8192 CPUs that the kernel can have */

void pit_shape_free(struct pit_shape *s)
{
	for (size_t i = 0; i < s->package_count; i++)
		pit_idset_free(&s->package[i]);
	for (size_t i = 0; i < s->core_count; i++)
		pit_idset_free(&s->core[i]);
	for (size_t i = 0; i < s->caches; i++)
		pit_idset_free(&s->cache[i].cpus);
	free(s->package);
	free(s->core);
	free(s->cache);
	free(s->memory);
	*s = (struct pit_shape){.packages = -1, .cores = -1};
}

static int add_set(struct pit_idset **sets, size_t *count, const char *list)
{
	struct pit_idset *grown;

	if (*count == PIT_IDSET_MAX)
		return -EBADMSG;
	grown = reallocarray(*sets, *count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	*sets = grown;
	grown[*count] = (struct pit_idset){0};
	if (pit_idset_parse(list, &grown[*count], NULL))
		return -EBADMSG;
	(*count)++;
	return 0;
}

static int add_package(struct pit_shape *s, const char *list)
{
	int rc = add_set(&s->package, &s->package_count, list);

	if (!rc)
		s->packages = (int)s->package_count;
	return rc;
}

static int add_cache(struct pit_shape *s, const char *words)
{
	struct pit_cache c = {0}, *grown;
	int skip = 0;

	if (s->caches == CACHES_MAX)
		return -EBADMSG;
	if (sscanf(words, "%d %" SCNu64 " %n", &c.level, &c.kb, &skip) != 2 || !skip || c.level < 1 || c.level > 9)
		return -EBADMSG;
	grown = reallocarray(s->cache, s->caches + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	s->cache = grown;
	if (pit_idset_parse(words + skip, &c.cpus, NULL))
		return -EBADMSG;
	grown[s->caches++] = c;
	return 0;
}

/* hwloc's word for the kind of a node's memory. */
static enum pit_node_kind kind_of(const char *subtype)
{
	static const struct {
		const char *word;
		enum pit_node_kind kind;
	} words[] = {
		{.word = "DRAM", .kind = PIT_NODE_DRAM},     {.word = "HBM", .kind = PIT_NODE_HBM},
		{.word = "MCDRAM", .kind = PIT_NODE_HBM},    {.word = "NVM", .kind = PIT_NODE_PMEM},
		{.word = "GPUMemory", .kind = PIT_NODE_GPU}, {.word = "CXL", .kind = PIT_NODE_CXL},
	};

	for (size_t i = 0; i < PIT_COUNT(words); i++)
		if (!strncmp(subtype, words[i].word, strlen(words[i].word)))
			return words[i].kind;
	return PIT_NODE_UNKNOWN;
}

static int add_memory(struct pit_shape *s, const char *words)
{
	struct pit_memory_kind m = {0}, *grown;
	char subtype[32];

	if (sscanf(words, "%d %31s", &m.node, subtype) != 2 || m.node < 0)
		return -EBADMSG;
	grown = reallocarray(s->memory, s->memories + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	s->memory = grown;
	m.kind = kind_of(subtype);
	grown[s->memories++] = m;
	return 0;
}

static int parse_line(struct pit_shape *s, const char *line)
{
	int64_t n;

	if (!strncmp(line, "package ", 8))
		return add_package(s, line + 8);
	if (!strncmp(line, "core ", 5))
		return add_set(&s->core, &s->core_count, line + 5);
	if (!strncmp(line, "cache ", 6))
		return add_cache(s, line + 6);
	if (!strncmp(line, "memory ", 7))
		return add_memory(s, line + 7);
	if (strncmp(line, "cores ", 6) || pit_parse_i64(line + 6, &n) || n > PIT_IDSET_MAX)
		return -EBADMSG;
	s->cores = n > 0 ? (int)n : -1;
	return 0;
}

int pit_shape_parse(const char *text, struct pit_shape *ret, struct pit_error *err)
{
	PIT_CLEANUP(pit_shape_free) struct pit_shape s = {.packages = -1, .cores = -1};
	pit_auto_free char *copy = strdup(text);
	char *save = NULL;

	if (!copy)
		return pit_fail(err, ENOMEM, "out of memory");
	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		int rc = parse_line(&s, line);

		if (rc)
			return pit_fail(err, -rc, "'%.60s' is not a line about the topology", line);
	}
	*ret = s;
	s = (struct pit_shape){0};
	return 0;
}

/* The topology holds until the next boot, or until CPUs or memory come or go. */
static void print_key(struct pit_root *root, struct pit_buf *out)
{
	static const char *const files[] = {
		"/proc/sys/kernel/random/boot_id",
		"/sys/devices/system/cpu/online",
		"/sys/devices/system/node/has_memory",
	};
	char text[4096];

	pit_buf_puts(out, "1");
	for (size_t i = 0; i < PIT_COUNT(files); i++) {
		if (pit_root_str(root, text, sizeof(text), "%s", files[i]))
			snprintf(text, sizeof(text), "?");
		pit_buf_printf(out, " %s", text);
	}
}

/* What `make` writes, once until the key changes. */
static int kept(struct pit_root *root, const char *name, int (*make)(const void *arg, struct pit_buf *out),
		const void *arg, struct pit_buf *out)
{
	pit_auto_buf struct pit_buf key = PIT_BUF_INIT;
	int rc;

	print_key(root, &key);
	if (!pit_runtime_cache_get(name, key.data, out))
		return 0;
	pit_buf_clear(out);
	rc = make(arg, out);
	if (!rc && !out->failed)
		pit_runtime_cache_put(name, key.data, out->data, out->len);
	return rc;
}

static int ask_hwloc(const void *arg, struct pit_buf *out)
{
	return pit_hwloc_live_xml(out);
}

static int make_xml(const char *name, void *arg, struct pit_buf *out)
{
	return kept(arg, name, ask_hwloc, NULL, out);
}

/* Reading the XML costs hwloc more than half of all that loading a topology takes, so its result is kept, too. */
static int read_xml(const void *arg, struct pit_buf *out)
{
	const struct pit_text *xml = arg;

	return pit_hwloc_shape_of_xml(xml->data, xml->len, out);
}

int pit_shape_load(struct pit_root *root, struct pit_shape *ret, struct pit_error *err)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	struct pit_text xml;
	int rc = pit_root_fact(root, "hwloc.xml", make_xml, root, &xml);

	if (!rc && pit_root_is_live(root))
		rc = kept(root, "hwloc.shape", read_xml, &xml, &text);
	else if (!rc)
		rc = pit_hwloc_shape_of_foreign_xml(xml.data, xml.len, &text);
	else if (!pit_root_is_live(root))
		rc = pit_hwloc_shape_of_dir(pit_root_dir(root), &text);
	if (rc || text.failed)
		return pit_fail(err, rc ? -rc : ENOMEM, "hwloc: %s", strerror(rc ? -rc : ENOMEM));
	return pit_shape_parse(text.data, ret, err);
}

/* SPDX-License-Identifier: MIT
 *
 * Slurm's GPUs: what the NodeName line promises, what gres.conf describes, and what is there.
 */
#include "check/slurm_gres.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/parse.h"
#include "check/offenders.h"

#define GPUS_MAX 256

int pit_slurm_gres_gpus(const char *gres, uint64_t *ret_count, bool *ret_typed)
{
	uint64_t count = 0;
	bool typed = true;

	while (gres && *gres) {
		size_t len = strcspn(gres, ",");
		char item[128], *number;
		uint64_t n = 1;

		snprintf(item, sizeof(item), "%.*s", (int)strcspn(gres, ",("), gres);
		len = strcspn(gres, "(") < len ? strcspn(gres, ")") + strcspn(gres + strcspn(gres, ")"), ",") : len;
		gres += len + (gres[len] == ',');
		if (strncasecmp(item, "gpu", 3) != 0 || (item[3] && item[3] != ':'))
			continue;
		number = strrchr(item, ':');
		if (number && pit_parse_u64(number + 1, &n)) {
			if (number != item + 3)
				return -EBADMSG;
			n = 1;
		} else {
			typed &= number && number != item + 3;
		}
		count += n < GPUS_MAX ? n : GPUS_MAX;
	}
	*ret_count = count;
	*ret_typed = typed;
	return 0;
}

int pit_slurm_gres_cores(const char *text, struct pit_idset *ret)
{
	char list[1024];
	char *to = list;

	for (; *text && to < list + sizeof(list) - 1; text++)
		if (!strchr("[]", *text))
			*to++ = *text;
	*to = '\0';
	return *text || pit_idset_parse(list, ret, NULL) ? -EBADMSG : 0;
}

const char *pit_slurm_gres_links(const char *text, size_t gpus)
{
	size_t fields = 0, self = 0;

	for (;; text++) {
		size_t len = strcspn(text, ",");
		char field[24];
		int64_t n;

		snprintf(field, sizeof(field), "%.*s", (int)len, text);
		if (len >= sizeof(field) || pit_parse_i64(field, &n) || n < -1)
			return "a field that is no number";
		self += n == -1;
		fields++;
		text += len;
		if (!*text)
			break;
	}
	if (gpus && fields != gpus)
		return "a wrong number of fields";
	return self == 1 ? NULL : "not exactly one -1, which marks the GPU itself";
}

/* The host, and the lines of gres.conf that describe its GPUs. */
struct gres {
	struct pit_slurm_host host;
	struct pit_slurm_conf conf;
	const struct pit_slurm_line *line[GPUS_MAX];
	size_t lines;
	bool there;           /* gres.conf is */
	bool detected;        /* AutoDetect other than off */
	const char *promised; /* Gres= of the node; NULL not set */
};

static void gres_free(struct gres *g)
{
	pit_slurm_host_free(&g->host);
	pit_slurm_conf_free(&g->conf);
}
#define auto_gres PIT_CLEANUP(gres_free)

static bool detects(const char *value)
{
	return value && strcasecmp(value, "off") != 0;
}

static void pick_lines(struct gres *g, const char *host)
{
	g->detected = detects(pit_slurm_get(&g->conf, "AutoDetect", NULL));
	for (size_t i = 0; i < g->conf.count && g->lines < GPUS_MAX; i++) {
		const struct pit_slurm_line *line = &g->conf.item[i];
		const char *nodes = pit_slurm_pair(line, "NodeName"), *name = pit_slurm_pair(line, "Name");

		if (nodes && !pit_slurm_hosts_have(nodes, host))
			continue;
		if (nodes && pit_slurm_pair(line, "AutoDetect"))
			g->detected = detects(pit_slurm_pair(line, "AutoDetect"));
		if (name && !strcasecmp(name, "gpu"))
			g->line[g->lines++] = line;
	}
}

static int gres_load(struct pit_facts *f, struct gres *g, struct pit_error *err)
{
	const struct pit_platform *platform;
	char host[65];
	int rc = pit_slurm_host_load(f, &g->host, err);

	if (!rc)
		rc = pit_facts_platform(f, &platform, err);
	if (rc)
		return rc;
	snprintf(host, sizeof(host), "%.*s", (int)strcspn(platform->hostname, "."), platform->hostname);
	g->promised = pit_slurm_node_get(&g->host.conf, g->host.node, "Gres");
	rc = pit_slurm_conf_load(pit_facts_root(f), "gres.conf", &g->conf, err);
	if (pit_root_state(rc) == PIT_STATE_ABSENT)
		return 0;
	g->there = !rc;
	pick_lines(g, host);
	return rc;
}

static bool promises_gpus(const struct gres *g)
{
	uint64_t count;
	bool typed;

	return !pit_slurm_gres_gpus(g->promised, &count, &typed) && count;
}

/* Loads, and makes a row of a host that neither has nor promises GPUs a skip: 1. */
static int gres_begin(struct pit_facts *f, struct gres *g, struct pit_finding *out, struct pit_error *err)
{
	const struct pit_topo *topo;
	int rc = gres_load(f, g, err);

	if (rc)
		return rc;
	if (promises_gpus(g) || g->lines)
		return 0;
	if (!pit_facts_topo(f, &topo, NULL) && pit_topo_count(topo, PIT_DEVICE_GPU))
		return 0;
	pit_skip(out, "no GPU here, and none in Slurm's configuration of this node");
	return 1;
}

static void gres_evidence(const struct gres *g, struct pit_finding *out)
{
	char where[320];

	snprintf(where, sizeof(where), "%s:%d", g->host.node->file, g->host.node->line);
	pit_evidence(out, where, "Gres %s%s", g->promised ? "= " : "is not set", g->promised ? g->promised : "");
	pit_evidence(out, g->conf.path, !g->there ? "not there" : "%zu lines for GPUs of this node%s", g->lines,
		     g->detected ? ", AutoDetect" : "");
}

int pit_slurm_gres_types_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			       struct pit_error *err)
{
	auto_gres struct gres g = {0};
	const char *types;
	int rc = gres_begin(f, &g, out, err);

	if (rc)
		return rc < 0 ? rc : 0;
	types = pit_slurm_get(&g.host.conf, "GresTypes", NULL);
	pit_evidence(out, g.host.conf.path, "GresTypes %s%s", types ? "= " : "is not set", types ? types : "");
	pit_want(out, "GresTypes=gpu");
	return pit_slurm_list_has(types, "gpu") ? pit_pass(out, "GresTypes=%s", types)
						: pit_bad(out, "GresTypes=%s", types ? types : "unset");
}

int pit_slurm_gres_conf_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			      struct pit_error *err)
{
	auto_gres struct gres g = {0};
	int rc = gres_begin(f, &g, out, err);

	if (rc)
		return rc < 0 ? rc : 0;
	gres_evidence(&g, out);
	pit_want(out, "Gres=gpu:N on the NodeName line and gres.conf with File= or AutoDetect=");
	if (!promises_gpus(&g))
		return pit_bad(out, "the node's line has no Gres=gpu");
	if (!g.there)
		return pit_bad(out, "Gres=%s, but no gres.conf", g.promised);
	if (!g.lines && !g.detected)
		return pit_bad(out, "gres.conf has no GPU of this node");
	return pit_pass(out, "Gres=%s", g.promised);
}

/* The device files of all lines. */
static int gres_files(const struct gres *g, struct pit_strv *ret, struct pit_error *err)
{
	for (size_t i = 0; i < g->lines; i++) {
		const char *file = pit_slurm_pair(g->line[i], "File");
		int rc = file ? pit_slurm_hosts_expand(file, GPUS_MAX, ret) : 0;

		if (!file)
			file = pit_slurm_pair(g->line[i], "MultipleFiles");
		if (rc)
			return pit_fail(err, EBADMSG, "%s:%d: File=%s", g->line[i]->file, g->line[i]->line, file);
	}
	return 0;
}

/* GPUs that gres.conf describes; 0 when AutoDetect finds them. */
static int gres_described(const struct gres *g, uint64_t *ret, struct pit_error *err)
{
	pit_auto_strv struct pit_strv files = {0};
	uint64_t count = 0, n;
	int rc = gres_files(g, &files, err);

	for (size_t i = 0; i < g->lines && !rc; i++) {
		const char *number = pit_slurm_pair(g->line[i], "Count");

		if (number && !pit_slurm_pair(g->line[i], "File") && !pit_parse_u64(number, &n))
			count += n < GPUS_MAX ? n : GPUS_MAX;
	}
	*ret = files.count + count;
	return rc;
}

int pit_slurm_gres_count_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			       struct pit_error *err)
{
	auto_gres struct gres g = {0};
	const struct pit_topo *topo;
	uint64_t promised, described, real = 0;
	bool typed, known;
	int rc = gres_begin(f, &g, out, err);

	if (rc)
		return rc < 0 ? rc : 0;
	if (pit_slurm_gres_gpus(g.promised, &promised, &typed))
		return pit_fail(err, EBADMSG, "Gres=%s", g.promised);
	rc = gres_described(&g, &described, err);
	if (rc)
		return rc;
	known = !pit_facts_topo(f, &topo, NULL) && topo->pci_known;
	real = known ? pit_topo_count(topo, PIT_DEVICE_GPU) : 0;
	gres_evidence(&g, out);
	if (known)
		pit_evidence(out, "/sys/bus/pci/devices", "%" PRIu64 " GPUs", real);
	pit_want(out, "the same number everywhere");
	if (described && promised && described != promised)
		return pit_bad(out, "Gres promises %" PRIu64 " GPUs, gres.conf has %" PRIu64, promised, described);
	if (known && promised > real)
		return pit_bad(out, "Gres promises %" PRIu64 " GPUs, %" PRIu64 " are here", promised, real);
	if (known && promised && promised < real && g.detected)
		return pit_judge(out, PIT_WARN, PIT_RISK, "Gres promises %" PRIu64 " of %" PRIu64 " GPUs", promised,
				 real);
	return pit_pass(out, "%" PRIu64 " GPUs", promised);
}

int pit_slurm_gres_files_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			       struct pit_error *err)
{
	auto_gres struct gres g = {0};
	pit_auto_strv struct pit_strv files = {0};
	struct pit_offenders p = {0};
	int rc = gres_begin(f, &g, out, err);

	if (!rc)
		rc = gres_files(&g, &files, err);
	if (rc)
		return rc < 0 ? rc : 0;
	if (!files.count)
		return pit_skip(out, "gres.conf names no device files");
	pit_want(out, "all files of File= exist");
	for (size_t i = 0; i < files.count; i++) {
		if (pit_root_state(pit_root_exists(pit_facts_root(f), "%s", files.item[i])) == PIT_STATE_ABSENT)
			pit_problem(&p, out, g.conf.path, "no %s", files.item[i]);
	}
	return p.count ? pit_bad(out, "%s", pit_offenders_text(&p)) : pit_pass(out, "%zu files", files.count);
}

static const char *cores_of(const struct pit_slurm_line *line)
{
	const char *cores = pit_slurm_pair(line, "Cores");

	return cores ? cores : pit_slurm_pair(line, "CPUs");
}

/* True when the set has a core and, by their usual numbers, its SMT siblings: CPU ids as nvidia-smi prints them. */
static bool has_siblings(const struct pit_idset *set, uint64_t cores)
{
	PIT_IDSET_FOREACH (id, set) {
		if ((uint64_t)id < cores && pit_idset_has(set, (size_t)id + cores))
			return true;
	}
	return false;
}

/* Slurm takes ids up to the number of CPUs, and means cores by them. */
static void judge_cores(const struct pit_slurm_line *line, const char *text, uint64_t cores, uint64_t cpus,
			struct pit_offenders *p, struct pit_finding *out)
{
	pit_auto_idset struct pit_idset set = {0};
	char where[320];

	snprintf(where, sizeof(where), "%s:%d", line->file, line->line);
	if (pit_slurm_gres_cores(text, &set))
		pit_problem(p, out, where, "Cores=%s is no list of cores", text);
	else if (pit_idset_next(&set, cpus) >= 0)
		pit_problem(p, out, where, "Cores=%s, but the last core is %" PRIu64, text, cores - 1);
	else if (has_siblings(&set, cores))
		pit_problem(p, out, where, "Cores=%s has CPU ids of SMT siblings, cores are 0-%" PRIu64, text,
			    cores - 1);
}

int pit_slurm_gres_cores_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			       struct pit_error *err)
{
	auto_gres struct gres g = {0};
	struct pit_offenders p = {0};
	const struct pit_topo *topo;
	uint64_t cores, cpus, named = 0;
	int rc = gres_begin(f, &g, out, err);

	if (rc)
		return rc < 0 ? rc : 0;
	cores = pit_slurm_host_cores(&g.host);
	if (!cores && !pit_facts_topo(f, &topo, NULL) && topo->cores > 0)
		cores = (uint64_t)topo->cores;
	if (!cores)
		return pit_skip(out, "the number of cores is not known");
	cpus = pit_slurm_host_cpus(&g.host);
	cpus = cpus > cores ? cpus : cores;
	for (size_t i = 0; i < g.lines; i++) {
		const char *text = cores_of(g.line[i]);

		named += text != NULL;
		if (text)
			judge_cores(g.line[i], text, cores, cpus, &p, out);
	}
	if (!named)
		return pit_skip(out, "gres.conf has no Cores=");
	pit_want(out, "core ids from 0 to %" PRIu64 ", not CPU ids of SMT siblings", cores - 1);
	return p.count ? pit_bad(out, "%s", pit_offenders_text(&p))
		       : pit_pass(out, "%" PRIu64 " lines, cores 0-%" PRIu64, named, cores - 1);
}

int pit_slurm_gres_links_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			       struct pit_error *err)
{
	auto_gres struct gres g = {0};
	struct pit_offenders p = {0};
	uint64_t gpus, named = 0;
	int rc = gres_begin(f, &g, out, err);

	if (!rc)
		rc = gres_described(&g, &gpus, err);
	if (rc)
		return rc < 0 ? rc : 0;
	for (size_t i = 0; i < g.lines; i++) {
		const char *links = pit_slurm_pair(g.line[i], "Links");
		const char *wrong = links ? pit_slurm_gres_links(links, gpus) : NULL;
		char where[320];

		named += links != NULL;
		snprintf(where, sizeof(where), "%s:%d", g.line[i]->file, g.line[i]->line);
		if (wrong)
			pit_problem(&p, out, where, "Links=%s has %s", links, wrong);
	}
	if (!named)
		return pit_skip(out, "gres.conf has no Links=");
	pit_want(out, "one number for each of %" PRIu64 " GPUs, -1 for itself", gpus);
	return p.count ? pit_bad(out, "%s", pit_offenders_text(&p)) : pit_pass(out, "%" PRIu64 " lines", named);
}

int pit_slurm_gres_affinity_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
				  struct pit_error *err)
{
	auto_gres struct gres g = {0};
	size_t without = 0;
	int rc = gres_begin(f, &g, out, err);

	if (rc)
		return rc < 0 ? rc : 0;
	for (size_t i = 0; i < g.lines; i++)
		without += !cores_of(g.line[i]);
	gres_evidence(&g, out);
	pit_want(out, "AutoDetect=nvml (rsmi, oneapi), or Cores= on each line");
	if (g.detected)
		return pit_pass(out, "AutoDetect");
	if (!g.lines)
		return pit_skip(out, "gres.conf describes no GPU");
	return without ? pit_bad(out, "%zu lines without Cores=, no AutoDetect", without)
		       : pit_pass(out, "Cores= on %zu lines", g.lines);
}

/* True when the GPUs here are of more than one model. */
static bool is_mixed(struct pit_facts *f, struct pit_finding *out)
{
	const struct pit_topo *topo;
	const struct pit_device *first = NULL;

	if (pit_facts_topo(f, &topo, NULL))
		return false;
	for (size_t i = 0; i < topo->devices; i++) {
		const struct pit_device *d = &topo->device[i];

		if (d->cls != PIT_DEVICE_GPU)
			continue;
		if (first && (d->vendor != first->vendor || d->device != first->device)) {
			pit_evidence(out, "/sys/bus/pci/devices", "%s is %04x:%04x, %s is %04x:%04x", first->pci,
				     first->vendor, first->device, d->pci, d->vendor, d->device);
			return true;
		}
		first = first ? first : d;
	}
	return false;
}

int pit_slurm_gres_type_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			      struct pit_error *err)
{
	auto_gres struct gres g = {0};
	uint64_t count;
	bool typed;
	int rc = gres_begin(f, &g, out, err);

	if (rc)
		return rc < 0 ? rc : 0;
	if (!promises_gpus(&g))
		return pit_skip(out, "the node's line promises no GPU");
	if (pit_slurm_gres_gpus(g.promised, &count, &typed))
		return pit_fail(err, EBADMSG, "Gres=%s", g.promised);
	pit_want(out, "Gres=gpu:TYPE:N for each model");
	if (!is_mixed(f, out))
		return pit_pass(out, "one model, Gres=%s", g.promised);
	gres_evidence(&g, out);
	return typed ? pit_pass(out, "several models, Gres=%s", g.promised)
		     : pit_bad(out, "several models, Gres=%s", g.promised);
}

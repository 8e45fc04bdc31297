/* SPDX-License-Identifier: MIT
 *
 * Idle states that take longer to leave than a setting allows are switched off on each CPU.
 */
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "tune/persist.h"
#include "tune/resolve.h"

#define CPUS "/sys/devices/system/cpu"

/* "3 us", "3us" or "3"; "3 us held" by a service that the kernel asks, instead of states that are off. */
static int parse(const struct pit_setting *s, uint64_t *ret_us, bool *ret_held, struct pit_error *err)
{
	size_t digits = strspn(s->value, "0123456789");
	const char *rest = s->value + digits + strspn(s->value + digits, " \t");
	char number[24];

	if (!strncmp(rest, "us", 2))
		rest += 2 + strspn(rest + 2, " \t");
	snprintf(number, sizeof(number), "%.*s", (int)(digits < sizeof(number) ? digits : 0), s->value);
	*ret_held = !strcmp(rest, "held");
	if ((*rest && !*ret_held) || pit_parse_u64(number, ret_us) || *ret_us > INT32_MAX)
		return pit_fail(
			err, EINVAL,
			"%s = %s: say the largest exit latency, such as '10 us', or '10 us held' to have a service "
			"ask the kernel for it",
			s->knob->id, s->value);
	return 0;
}

struct state {
	char dir[96];
	char name[32]; /* "C1E"; "POLL" sleeps not at all */
	uint64_t latency;
};

static int read_state(struct pit_root *root, const char *cpu, const char *name, struct state *ret,
		      struct pit_error *err)
{
	int rc;

	snprintf(ret->dir, sizeof(ret->dir), CPUS "/%s/cpuidle/%s", cpu, name);
	rc = pit_root_u64(root, &ret->latency, "%s/latency", ret->dir);
	if (!rc)
		rc = pit_root_str(root, ret->name, sizeof(ret->name), "%s/name", ret->dir);
	return pit_wrap(err, rc, "%s", ret->dir);
}

static bool sleeps(const struct state *s)
{
	return strcmp(s->name, "POLL") != 0 && strcmp(s->name, "C0") != 0;
}

/* `shallowest`: the CPU's only way to rest at all if the others go. */
static int limit_state(const struct state *s, bool shallowest, uint64_t most, struct pit_wishes *ret)
{
	PIT_CLEANUP(pit_cell_free) struct pit_cell cell = {0};
	int rc;

	if (s->latency <= most || !sleeps(s))
		return 0;
	rc = pit_cell_set(&cell, PIT_TARGET_KERNEL, PIT_VALUE_BOOL, "%s/disable", s->dir);
	if (rc)
		return rc;
	if (!shallowest)
		return pit_wish_add(ret, &cell, "1");
	return pit_wish_refuse(ret, &cell,
			       "%s takes %" PRIu64 " us to leave, more than %" PRIu64
			       ", but without it the CPU would never rest: it would draw full power and lose its turbo",
			       s->name, s->latency, most);
}

/* States are numbered from the shallowest. */
static int limit_cpu(struct pit_root *root, const char *cpu, uint64_t most, struct pit_wishes *ret,
		     struct pit_error *err)
{
	const struct pit_strv *names;
	bool rested = false;
	int rc = pit_wrap(err, pit_root_list(root, &names, CPUS "/%s/cpuidle", cpu), CPUS "/%s/cpuidle", cpu);

	for (size_t i = 0; !rc && i < names->count; i++) {
		struct state s;

		if (strncmp(names->item[i], "state", 5) != 0)
			continue;
		rc = read_state(root, cpu, names->item[i], &s, err);
		if (!rc)
			rc = limit_state(&s, !rested, most, ret);
		rested |= !rc && sleeps(&s);
	}
	return rc;
}

static bool is_cpu(const char *name)
{
	return !strncmp(name, "cpu", 3) && name[3] && !name[3 + strspn(name + 3, "0123456789")];
}

/* The kernel's own way, good for CPUs that come online later, too; it ends with the process that asks. */
static int hold_latency(struct pit_scene *scene, uint64_t most, struct pit_wishes *ret)
{
	if (pit_root_exists(pit_scene_root(scene), "/dev/cpu_dma_latency"))
		return pit_wishes_absent(ret, "this kernel has no /dev/cpu_dma_latency");
	if (!pit_scene_has_systemd(scene))
		return pit_wishes_absent(ret,
					 "systemd is not process 1 here, so nothing would hold /dev/cpu_dma_latency");
	return pit_persist_latency(scene, most, ret);
}

/* Each CPU that has idle states; *ret_any is false where none has. An offline one has none. */
static int limit_all(struct pit_root *root, uint64_t most, bool limit, struct pit_wishes *ret, bool *ret_any,
		     struct pit_error *err)
{
	const struct pit_strv *names;
	int rc = pit_wrap(err, pit_root_list(root, &names, CPUS), CPUS);

	*ret_any = false;
	for (size_t i = 0; !rc && i < names->count; i++) {
		if (!is_cpu(names->item[i]) || pit_root_exists(root, CPUS "/%s/cpuidle/state0", names->item[i]))
			continue;
		*ret_any = true;
		if (limit)
			rc = limit_cpu(root, names->item[i], most, ret, err);
	}
	return rc;
}

int pit_resolve_cstates(const struct pit_setting *setting, struct pit_scene *scene, struct pit_wishes *ret,
			struct pit_error *err)
{
	uint64_t most;
	bool any, held;
	int rc = parse(setting, &most, &held, err);

	if (!rc)
		rc = limit_all(pit_scene_root(scene), most, !held, ret, &any, err);
	if (!rc && !any)
		return pit_wishes_absent(
			ret, "this kernel shows no idle states (%s/cpu0/cpuidle), as in most virtual machines", CPUS);
	return !rc && held ? hold_latency(scene, most, ret) : rc;
}

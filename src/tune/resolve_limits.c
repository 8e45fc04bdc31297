/* SPDX-License-Identifier: MIT
 *
 * Limits come to a job on two ways that know nothing of each other: PAM gives logins those of limits.d, systemd gives
 * each service those of its unit. A setting reaches both, and lowers none.
 */
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/parse.h"
#include "host/limits_conf.h"
#include "host/pid.h"
#include "host/unit.h"
#include "tune/limits.h"
#include "tune/resolve.h"

/* Services that start jobs. */
static const char *const units[] = {
	"slurmd.service", "containerd.service", "docker.service", "ssh.service",
	"sshd.service",   "kubelet.service",    "user@.service",  NULL,
};

struct look {
	struct pit_root *root;
	const struct pit_limit_item *item;
	struct pit_pair want;
	struct pit_wishes *ret;
};

/* "unlimited" files are as many as the kernel allows one process. */
static int parse_one(const struct pit_setting *s, const char *text, struct pit_scene *scene,
		     const struct pit_limit_item *item, uint64_t *ret, struct pit_error *err)
{
	bool unlimited = !strcasecmp(text, "unlimited") || !strcasecmp(text, "infinity");
	pit_auto_buf struct pit_buf number = PIT_BUF_INIT;
	int rc;

	if (unlimited && strcmp(item->item, "nofile") != 0) {
		*ret = UINT64_MAX;
		return 0;
	}
	if (unlimited) {
		rc = pit_root_u64(pit_scene_root(scene), ret, "/proc/sys/fs/nr_open");
		return pit_wrap(err, rc, "%s: fs.nr_open, the most that nofile can be", s->knob->id);
	}
	rc = pit_value_want(PIT_VALUE_INT, text, NULL, pit_scene_memory(scene), &number, err);
	if (!rc && pit_parse_u64(number.data, ret))
		rc = pit_fail(err, EINVAL, "'%s' is no number", text);
	return pit_wrap(err, rc, "%s = %s: unlimited, a number or a size is meant", s->knob->id, s->value);
}

/* "SOFT:HARD", or one for both. */
static int parse_want(const struct pit_setting *s, struct pit_scene *scene, const struct pit_limit_item *item,
		      struct pit_pair *ret, struct pit_error *err)
{
	const char *colon = strchr(s->value, ':');
	pit_auto_free char *soft = colon ? strndup(s->value, (size_t)(colon - s->value)) : strdup(s->value);
	int rc;

	if (!soft)
		return pit_fail(err, ENOMEM, "out of memory");
	rc = parse_one(s, soft, scene, item, &ret->soft, err);
	ret->hard = ret->soft;
	if (!rc && colon)
		rc = parse_one(s, colon + 1, scene, item, &ret->hard, err);
	if (!rc && ret->soft > ret->hard)
		rc = pit_fail(err, EINVAL, "%s = %s: the soft limit is above the hard one", s->knob->id, s->value);
	return rc;
}

/* What a service or a login gets when nobody says anything. */
static struct pit_pair common(const struct look *l)
{
	struct pit_pair pair = {0};
	char key[32], value[64];
	bool systemd = !pit_root_exists(l->root, "/run/systemd/system");

	snprintf(key, sizeof(key), "Default%s", l->item->key);
	if (systemd && !pit_systemd_conf_get(l->root, "system.conf", "Manager", key, value, sizeof(value), NULL, 0) &&
	    !pit_limit_parse(value, &pair))
		return pair;
	if (systemd && l->item->common && !pit_limit_parse(l->item->common, &pair))
		return pair;
	if (!pit_proc_limit(l->root, 1, l->item->proc, &pair.soft, &pair.hard))
		return pair;
	return (struct pit_pair){0}; /* unknown: what is asked for is written */
}

/* The last limits that PAM finds for a domain. */
struct domain {
	const char *name, *item;
	struct pit_pair pair;
};

static int take_line(const char *where, const char *text, const struct pit_limits_line *line, void *arg)
{
	struct domain *d = arg;

	if (!line || strcmp(line->domain, d->name) != 0 || strcmp(line->item, d->item) != 0)
		return 0;
	if (line->soft)
		d->pair.soft = line->value;
	if (line->hard)
		d->pair.hard = line->value;
	return 0;
}

static int add_line(const struct look *l, const char *domain, const char *type, uint64_t want)
{
	char path[128];

	pit_fragment_path("/etc/security/limits.d", ".conf", l->ret->txn, path, sizeof(path));
	if (want == UINT64_MAX)
		return pit_fragment_add(l->ret, path, "", "%s %s %s unlimited", domain, type, l->item->item);
	return pit_fragment_add(l->ret, path, "", "%s %s %s %" PRIu64, domain, type, l->item->item,
				l->item->bytes ? (want + 1023) / 1024 : want);
}

/* "*" does not mean root, see limits.conf(5). */
static int raise_logins(const struct look *l, const char *domain)
{
	struct domain d = {.name = domain, .item = l->item->item, .pair = common(l)};
	int rc = pit_limits_each(l->root, take_line, &d);

	if (!rc && d.pair.hard < l->want.hard)
		rc = add_line(l, domain, "hard", l->want.hard);
	if (!rc && d.pair.soft < l->want.soft)
		rc = add_line(l, domain, "soft", l->want.soft);
	return rc;
}

static int raise_unit(const struct look *l, const char *unit)
{
	struct pit_pair now = common(l), want;
	char name[256], value[64], path[400], dir[320];

	if (pit_unit_name(l->root, unit, name, sizeof(name)) || strcmp(name, unit) != 0)
		return 0; /* not here, masked, or another name of one that is in the list */
	if (!pit_unit_get(l->root, unit, "Service", l->item->key, value, sizeof(value), NULL, 0))
		(void)pit_limit_parse(value, &now); /* systemd ignores what it cannot read, too */
	want.soft = now.soft > l->want.soft ? now.soft : l->want.soft;
	want.hard = now.hard > l->want.hard ? now.hard : l->want.hard;
	if (want.soft == now.soft && want.hard == now.hard)
		return 0;
	snprintf(dir, sizeof(dir), "/etc/systemd/system/%s.d", unit);
	pit_fragment_path(dir, ".conf", l->ret->txn, path, sizeof(path));
	return pit_fragment_add(l->ret, path, "Service", "%s=%s", l->item->key,
				pit_limit_print(&want, value, sizeof(value)));
}

/* setrlimit() refuses more open files than fs.nr_open, and sessions would not start. */
static int refuse_files(const struct look *l, uint64_t most)
{
	PIT_CLEANUP(pit_cell_free) struct pit_cell cell = {0};
	char path[128];
	int rc;

	pit_fragment_path("/etc/security/limits.d", ".conf", l->ret->txn, path, sizeof(path));
	rc = pit_cell_set(&cell, PIT_TARGET_FILE, PIT_VALUE_TEXT, "%s", path);
	return rc ? rc
		  : pit_wish_refuse(l->ret, &cell,
				    "nofile %" PRIu64 " is more than fs.nr_open = %" PRIu64
				    " allows, and no session would start: raise fs.nr_open first",
				    l->want.hard, most);
}

int pit_resolve_limits(const struct pit_setting *setting, struct pit_scene *scene, struct pit_wishes *ret,
		       struct pit_error *err)
{
	const char *dot = strrchr(setting->knob->id, '.');
	struct look l = {.root = pit_scene_root(scene), .item = dot ? pit_limit_item(dot + 1) : NULL, .ret = ret};
	uint64_t most;
	int rc;

	if (!l.item)
		return pit_fail(err, EINVAL, "%s is no limit", setting->knob->id);
	rc = parse_want(setting, scene, l.item, &l.want, err);
	if (rc)
		return rc;
	if (!strcmp(l.item->item, "nofile") && !pit_root_u64(l.root, &most, "/proc/sys/fs/nr_open") &&
	    l.want.hard > most)
		return refuse_files(&l, most);
	if (!pit_root_exists(l.root, "/etc/security"))
		rc = raise_logins(&l, "*");
	if (!rc && !pit_root_exists(l.root, "/etc/security"))
		rc = raise_logins(&l, "root");
	for (size_t i = 0; units[i] && !rc; i++)
		rc = raise_unit(&l, units[i]);
	return rc;
}

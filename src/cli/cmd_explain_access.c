/* SPDX-License-Identifier: MIT */
#include <jansson.h>
#include <string.h>

#include "check/access.h"
#include "base/json.h"
#include "cli/cmd.h"
#include "report/text.h"

struct options {
	const char *root, *user, *path;
	bool json;
};

enum { KEY_ROOT = 256 };

static const struct argp_option argp_options[] = {
	{"root", KEY_ROOT, "PATH", 0, "Look at a recorded machine: a directory or a tarball"},
	{"format", 'f', "FORM", 0, "text (default) or json"},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case KEY_ROOT:
		o->root = arg;
		break;
	case 'f':
		o->json = pit_cli_is_json(state, arg);
		break;
	case ARGP_KEY_ARG:
		if (!*arg)
			pit_cli_usage(state, "an empty %s", o->user ? "PATH" : "USER");
		else if (o->path)
			pit_cli_usage(state, "'%s': one USER and one PATH", arg);
		else if (o->user)
			o->path = arg;
		else
			o->user = arg;
		break;
	case ARGP_KEY_END:
		if (!o->path)
			pit_cli_usage(state, "name a USER and a PATH");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = argp_options,
	.parser = parse,
	.args_doc = "USER PATH",
	.doc = "Tell why USER (a name or number) can or cannot read, write and execute PATH: the first step of the way "
	       "that blocks, and what would open it.\vExit codes: 0 answered, 3 could not tell, 64 usage.",
};

struct question {
	struct pit_user user;
	struct pit_mounts mounts;
	struct pit_access_path path;
	struct pit_access_answer answer[3];
	bool enforcing; /* SELinux */
};

static const struct {
	unsigned want;
	const char *name, *name_dir;
} wants[] = {
	{.want = PIT_ACCESS_READ, .name = "read", .name_dir = "list"},
	{.want = PIT_ACCESS_WRITE, .name = "write", .name_dir = "write"},
	{.want = PIT_ACCESS_EXEC, .name = "execute", .name_dir = "enter"},
};

static const char *const verdicts[] = {
	[PIT_ACCESS_ALLOWED] = "yes", [PIT_ACCESS_DENIED] = "no", [PIT_ACCESS_UNKNOWN] = "unknown"};

static int ask(const struct options *o, struct pit_root *root, struct question *q, struct pit_error *err)
{
	int rc = pit_user_find(root, o->user, &q->user, err);
	uint64_t selinux;

	if (!rc)
		rc = pit_mounts_load(root, &q->mounts, err);
	if (!rc)
		rc = pit_access_collect(root, &q->mounts, o->path, &q->path, err);
	q->enforcing = !pit_root_u64(root, &selinux, "/sys/fs/selinux/enforce") && selinux;
	for (size_t i = 0; !rc && i < PIT_COUNT(wants); i++)
		pit_access_decide(&q->path, &q->user, wants[i].want, &q->answer[i]);
	return rc;
}

static void question_free(struct question *q)
{
	pit_access_free(&q->path);
	pit_mounts_free(&q->mounts);
}

static const char *want_name(const struct question *q, size_t i)
{
	const struct pit_access_step *last = q->path.count ? &q->path.step[q->path.count - 1] : NULL;

	return last && !last->target && !last->rc && (last->mode & 0170000) == 0040000 ? wants[i].name_dir
										       : wants[i].name;
}

static void put_step(const struct question *q, const struct pit_access_step *s, const struct pit_page *page)
{
	pit_auto_buf struct pit_buf line = PIT_BUF_INIT;
	char mode[12], head[16];
	bool blocks = false;

	for (size_t i = 0; i < PIT_COUNT(wants); i++)
		blocks |= q->answer[i].step == s && q->answer[i].verdict != PIT_ACCESS_ALLOWED;
	if (s->target)
		pit_buf_printf(&line, "link %s -> %s", s->path, s->target);
	else if (s->rc)
		pit_buf_printf(&line, "? %s (%s)", s->path, strerror(-s->rc));
	else
		pit_buf_printf(&line, "%s%s %s (%s:%s)", pit_mode_text(s->mode, mode), s->acl ? "+" : "", s->path,
			       s->owner, s->group);
	if (s->mount && !s->target && !strcmp(s->mount->target, s->path))
		pit_buf_printf(&line, ", mount of %s (%s)", s->mount->type, s->mount->options);
	snprintf(head, sizeof(head), "  %s", blocks ? ">" : "");
	pit_page_wrap(page, 4, head, line.data);
}

static bool same_answer(const struct pit_access_answer *a, const struct pit_access_answer *b)
{
	return a->verdict == b->verdict && a->step == b->step && !strcmp(a->reason, b->reason);
}

static void put_answer(const struct question *q, size_t i, const struct pit_page *page)
{
	static const enum pit_colour colours[] = {PIT_GREEN, PIT_RED, PIT_YELLOW};
	const struct pit_access_answer *a = &q->answer[i];
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;

	pit_buf_printf(page->out, "  %-8s ", want_name(q, i));
	pit_page_colour(page, colours[a->verdict], verdicts[a->verdict]);
	pit_buf_putc(page->out, '\n');
	if (!a->reason[0])
		return;
	if (i && same_answer(a, &q->answer[i - 1])) {
		pit_page_wrap(page, 11, "", "for the same reason");
		return;
	}
	pit_buf_printf(&text, "%s%s%s", a->step ? a->step->path : "", a->step ? ": " : "", a->reason);
	pit_page_wrap(page, 11, "", text.data);
	if (a->fix[0])
		pit_page_wrap(page, 16, "           fix", a->fix);
}

static void put_text(const struct options *o, const struct question *q, struct pit_buf *out)
{
	struct pit_page page = pit_page_for(STDOUT_FILENO, "auto", out);
	pit_auto_buf struct pit_buf head = PIT_BUF_INIT;

	pit_buf_printf(&head, "%s (uid %lld, gid %lld, %zu more groups) and %s", q->user.name, (long long)q->user.uid,
		       (long long)q->user.gid, q->user.groups, o->path);
	pit_page_wrap(&page, 0, NULL, head.data);
	pit_buf_putc(out, '\n');
	for (size_t i = 0; i < PIT_COUNT(wants); i++)
		put_answer(q, i, &page);
	pit_buf_puts(out, "\nThe way:\n");
	for (size_t i = 0; i < q->path.count; i++)
		put_step(q, &q->path.step[i], &page);
	if (q->enforcing)
		pit_page_wrap(&page, 0, NULL,
			      "SELinux is enforcing and may refuse what is allowed here; see 'ausearch -m avc'.");
}

static json_t *step_json(const struct pit_access_step *s)
{
	char mode[12];

	if (s->target)
		return json_pack("{s:s, s:s}", "path", s->path, "link", s->target);
	if (s->rc)
		return json_pack("{s:s, s:s}", "path", s->path, "error", strerror(-s->rc));
	return json_pack("{s:s, s:s, s:s, s:s, s:b, s:s?}", "path", s->path, "mode", pit_mode_text(s->mode, mode),
			 "owner", s->owner, "group", s->group, "acl", s->acl != NULL, "type",
			 s->mount ? s->mount->type : NULL);
}

static int put_json(const struct options *o, const struct question *q, struct pit_buf *out)
{
	json_t *answers = json_object(), *steps = json_array(), *all;

	for (size_t i = 0; i < PIT_COUNT(wants); i++) {
		const struct pit_access_answer *a = &q->answer[i];

		json_object_set_new(answers, wants[i].name,
				    json_pack("{s:s, s:s?, s:s?, s:s?}", "answer", verdicts[a->verdict], "step",
					      a->step ? a->step->path : NULL, "reason", a->reason[0] ? a->reason : NULL,
					      "fix", a->fix[0] ? a->fix : NULL));
	}
	for (size_t i = 0; i < q->path.count; i++)
		json_array_append_new(steps, step_json(&q->path.step[i]));
	all = json_pack("{s:i, s:s, s:I, s:s, s:b, s:o, s:o}", "schema", 1, "user", q->user.name, "uid",
			(json_int_t)q->user.uid, "path", o->path, "selinux_enforcing", q->enforcing, "access", answers,
			"steps", steps);
	return pit_json_put(all, out);
}

/* An answer is an answer, also when it is no. */
static int exit_code(const struct question *q)
{
	for (size_t i = 0; i < PIT_COUNT(wants); i++)
		if (q->answer[i].verdict != PIT_ACCESS_UNKNOWN)
			return PIT_EXIT_OK;
	return PIT_EXIT_CANNOT;
}

int pit_cli_explain_access(int argc, char **argv)
{
	static char name[] = "pitcrew explain access";
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	pit_auto_root struct pit_root *root = NULL;
	struct options o = {0};
	struct pit_error err = PIT_ERROR_INIT;
	PIT_CLEANUP(question_free) struct question q = {0};

	argv[0] = name;
	argp_parse(&argp, argc, argv, 0, NULL, &o);
	if (pit_root_open(o.root, &root, &err) || ask(&o, root, &q, &err))
		return pit_cli_fail(&err);
	if (!o.json)
		put_text(&o, &q, &out);
	else if (put_json(&o, &q, &out))
		out.failed = true;
	return pit_cli_print(&out, exit_code(&q));
}

/* SPDX-License-Identifier: MIT
 *
 * Texts for a POSIX shell, and the script of numactl.
 */
#include <sched.h>
#include <string.h>

#include "launch/emit_parts.h"
#include "launch/leaf.h"

void pit_emit_word(struct pit_buf *out, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";

	if (*word && strspn(word, plain) == strlen(word)) {
		pit_buf_puts(out, word);
		return;
	}
	pit_buf_putc(out, '\'');
	for (; *word; word++) {
		if (*word == '\'')
			pit_buf_puts(out, "'\\''");
		else
			pit_buf_putc(out, *word);
	}
	pit_buf_putc(out, '\'');
}

void pit_emit_words(struct pit_buf *out, char *const *words)
{
	for (; *words; words++) {
		pit_buf_putc(out, ' ');
		pit_emit_word(out, *words);
	}
}

/* A subshell per rank: it hands a stop on to the rank, kills it after the grace, and tells the script of a failure. The
 * second wait is for the rank's own end, when the first one ended for the signal. */
void pit_emit_start(const struct pit_job *j, struct pit_buf *out)
{
	char stop[16];

	pit_emit_signal(pit_emit_stop_signal(j), stop, sizeof(stop));
	pit_buf_printf(out,
		       "ranks= code=0 level=0\n\n"
		       "start() {\n"
		       "\t(\n"
		       "\t\trank= asked= killer=\n"
		       "\t\ttrap asked=1 TERM\n"
		       "\t\ttrap '' INT HUP USR1\n"
		       "\t\t(trap - INT HUP USR1; exec \"$@\") &\n"
		       "\t\trank=$!\n"
		       "\t\ttrap 'asked=1; end' TERM\n"
		       "\t\t[ -z \"$asked\" ] || end\n"
		       "\t\twait \"$rank\"; rc=$?\n"
		       "\t\twhile [ -n \"$asked\" ] && kill -0 \"$rank\" 2>/dev/null; do wait \"$rank\"; rc=$?; done\n"
		       "\t\ttrap '' TERM\n"
		       "\t\t[ -z \"$killer\" ] || kill \"$killer\" 2>/dev/null\n"
		       "\t\t[ \"$rc\" = 0 ] || kill -s USR1 $$\n"
		       "\t\texit \"$rc\"\n"
		       "\t) &\n"
		       "\tranks=\"$ranks $!\"\n"
		       "}\n\n"
		       "end() {\n"
		       "\t[ -z \"$killer\" ] && kill -s %s \"$rank\" 2>/dev/null || return 0\n"
		       "\t(\n"
		       "\t\tleft=%u\n"
		       "\t\twhile [ \"$left\" -gt 0 ]; do sleep 1; left=$((left - 1)); done\n"
		       "\t\tkill -s KILL \"$rank\"\n"
		       "\t) </dev/null >/dev/null 2>&1 &\n"
		       "\tkiller=$!\n"
		       "}\n\n"
		       "stop() {\n"
		       "\ttrap '' USR1\n"
		       "\tkill -s TERM $ranks 2>/dev/null\n"
		       "}\n"
		       "trap stop INT TERM HUP USR1\n\n",
		       strncmp(stop, "SIG", 3) ? stop : stop + 3, pit_emit_grace(j));
}

/* The exit code is that of a failure which the stop did not cause, where there is one. */
void pit_emit_wait(const struct pit_job *j, struct pit_buf *out)
{
	pit_buf_printf(out,
		       "\nfor rank in $ranks; do\n"
		       "\twait \"$rank\"; rc=$?\n"
		       "\twhile kill -0 \"$rank\" 2>/dev/null; do wait \"$rank\"; rc=$?; done\n"
		       "\tcase $rc in 0) new=0 ;; %d) new=1 ;; 137) new=2 ;; *) new=3 ;; esac\n"
		       "\tif [ \"$new\" -gt \"$level\" ]; then level=$new code=$rc; fi\n"
		       "done\n"
		       "exit \"$code\"\n",
		       128 + pit_emit_stop_signal(j));
}

static void put_environment(const struct pit_env *e, struct pit_buf *out)
{
	bool any = false;

	for (int removed = 1; removed >= 0; removed--)
		for (size_t i = 0; i < e->items; i++) {
			const struct pit_env_item *item = &e->item[i];

			if (item->kept || removed != !item->value)
				continue;
			pit_buf_puts(out, any ? " " : " env ");
			pit_buf_puts(out, removed ? "-u " : "");
			pit_emit_word(out, item->name);
			any = true;
			if (removed)
				continue;
			pit_buf_putc(out, '=');
			pit_emit_word(out, item->value);
		}
}

/* Programs of util-linux that set what numactl does not. */
static void put_priorities(const struct pit_job_options *o, struct pit_buf *out)
{
	const char *policy = o->policy == SCHED_FIFO    ? "fifo"
			     : o->policy == SCHED_RR    ? "rr"
			     : o->policy == SCHED_BATCH ? "batch"
							: "other";

	if (o->oom_set)
		pit_buf_printf(out, " choom -n %d --", o->oom_score_adj);
	if (o->nice_set)
		pit_buf_printf(out, " nice -n %d", o->nice);
	if (o->sched_set)
		pit_buf_printf(out, " chrt --%s %d", policy, o->priority);
	for (size_t i = 0; i < o->io.count; i++) {
		if (!strcmp(o->io.item[i], "idle"))
			pit_buf_puts(out, " ionice -c 3");
		else if (!strncmp(o->io.item[i], "best-effort", 11))
			pit_buf_printf(out, " ionice -c 2 -n %s", o->io.item[i][11] ? o->io.item[i] + 12 : "4");
	}
}

static void put_policy(const struct pit_job *j, const struct pit_seat *seat, struct pit_buf *out)
{
	bool one = pit_idset_count(&seat->mems) == 1;

	if (j->placement.mem == PIT_MEM_LOCAL)
		pit_buf_puts(out, " --localalloc");
	if (pit_idset_is_empty(&seat->mems))
		return;
	if (j->placement.mem == PIT_MEM_PREFER)
		pit_buf_puts(out, one ? " --preferred=" : " --preferred-many=");
	else if (j->placement.mem == PIT_MEM_BIND)
		pit_buf_puts(out, " --membind=");
	else if (j->placement.mem == PIT_MEM_INTERLEAVE)
		pit_buf_puts(out, " --interleave=");
	else
		return;
	pit_idset_print(&seat->mems, out);
}

static void put_binding(const struct pit_job *j, int at, struct pit_buf *out)
{
	const struct pit_seat *seat = &j->placement.seat[at];
	pit_auto_buf struct pit_buf flags = PIT_BUF_INIT;

	if (!pit_idset_is_empty(&seat->cpus)) {
		pit_buf_puts(&flags, " --physcpubind=");
		pit_idset_print(&seat->cpus, &flags);
	}
	put_policy(j, seat, &flags);
	if (flags.len)
		pit_buf_printf(out, " numactl%s --", flags.data);
	out->failed |= flags.failed;
}

int pit_emit_numactl(const struct pit_job *j, struct pit_buf *out, struct pit_error *err)
{
	const struct pit_job_options *o = j->options;

	pit_buf_puts(out, "#!/bin/sh\n");
	pit_emit_header(j, PIT_EMIT_NUMACTL, out);
	if (o->dir) {
		pit_buf_puts(out, "cd -- ");
		pit_emit_word(out, o->dir);
		pit_buf_puts(out, " || exit 125\n");
	}
	if (o->memlock == PIT_UNLIMITED)
		pit_buf_puts(out, "ulimit -l unlimited || exit 125\n");
	else if (o->memlock)
		pit_buf_printf(out, "ulimit -l %llu || exit 125\n", (unsigned long long)((o->memlock + 1023) / 1024));
	pit_emit_start(j, out);
	for (int i = 0; i < j->placement.ranks; i++) {
		pit_buf_puts(out, "start");
		put_priorities(o, out);
		put_binding(j, i, out);
		put_environment(&j->env[i], out);
		pit_emit_words(out, o->argv);
		pit_buf_putc(out, '\n');
	}
	pit_emit_wait(j, out);
	return 0;
}

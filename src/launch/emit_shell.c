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

/* How a rank begins: in a session of its own, so that a signal finds all its processes and the terminal none of them;
 * and with SIGINT and SIGQUIT, which shells without job control have commands in the background ignore for good. */
static const char fresh[] =
	"if env --default-signal=INT true 2>/dev/null; then\n"
	"\tfresh() { exec setsid env --default-signal=INT,QUIT \"$@\"; }\n"
	"elif perl -e 0 2>/dev/null; then\n"
	"\tfresh() { exec setsid perl -e '$SIG{INT} = $SIG{QUIT} = \"DEFAULT\"; exec @ARGV or exit 127' \"$@\"; }\n"
	"else\n"
	"\techo 'neither this env nor perl can reset signals: ranks may ignore SIGINT' >&2\n"
	"\tfresh() { exec setsid \"$@\"; }\n"
	"fi\n\n";

/* A subshell per rank writes down the rank's pid and its end; the script looks at these once a second. No shell is told
 * by a signal: a `wait` that a signal cuts short loses the status of the child in some of them. Rank 0 has our stdin
 * unless that is a terminal. What a rank leaves behind ends with it: later its group's number could be another's. */
static const char start[] = "start() {\n"
			    "\tranks=$((ranks + 1))\n"
			    "\t(\n"
			    "\t\ttrap '' INT TERM HUP QUIT\n"
			    "\t\ttrap - EXIT\n"
			    "\t\t(\n"
			    "\t\t\ttrap - INT TERM HUP QUIT\n"
			    "\t\t\t[ \"$ranks\" = 1 ] || exec 3</dev/null\n"
			    "\t\t\texec <&3 3<&-\n"
			    "\t\t\tfresh \"$@\"\n"
			    "\t\t) &\n"
			    "\t\tpid=$!\n"
			    "\t\techo $pid >\"$here/pid.$ranks\"\n"
			    "\t\twait $pid\n"
			    "\t\techo $? >\"$here/new.$ranks\"\n"
			    "\t\tkill -s KILL -- -$pid 2>/dev/null\n"
			    "\t\tmv \"$here/new.$ranks\" \"$here/end.$ranks\"\n"
			    "\t) &\n"
			    "}\n\n";

static void put_start(const struct pit_job *j, struct pit_buf *out)
{
	pit_buf_printf(out,
		       "here=$(mktemp -d) || exit 125\n"
		       "trap 'rm -rf \"$here\"' EXIT\n"
		       "for signal in INT TERM HUP QUIT; do trap \"stop=$signal\" $signal; done\n"
		       "if [ -t 0 ] || [ ! -e /proc/self/fd/0 ]; then exec 3</dev/null; else exec 3<&0; fi\n"
		       "ranks=0 code=0 stop= left=%u\n\n",
		       pit_emit_grace(j));
	pit_buf_puts(out, fresh);
	pit_buf_puts(out, start);
}

/* The exit code is that of the first rank that failed. */
static void put_wait(const struct pit_job *j, struct pit_buf *out)
{
	char stop[16] = "$stop";

	if (j->options->ending.stop_signal)
		pit_emit_signal(j->options->ending.stop_signal, stop, sizeof(stop));
	pit_buf_printf(out,
		       "\n"
		       "end() {\n"
		       "\t[ -s \"$here/pid.$1\" ] && read -r pid <\"$here/pid.$1\" || return 0\n"
		       "\tif [ \"$left\" -le 0 ]; then\n"
		       "\t\ttell KILL\n"
		       "\telif [ ! -e \"$here/told.$1\" ]; then\n"
		       "\t\t: >\"$here/told.$1\"\n"
		       "\t\ttell %s\n"
		       "\tfi\n"
		       "}\n\n"
		       "tell() { kill -s \"$1\" -- \"-$pid\" 2>/dev/null || kill -s \"$1\" \"$pid\"; }\n\n"
		       "while :; do\n"
		       "\trunning= rank=0\n"
		       "\twhile [ \"$rank\" -lt \"$ranks\" ]; do\n"
		       "\t\trank=$((rank + 1))\n"
		       "\t\tif [ ! -e \"$here/end.$rank\" ]; then running=\"$running $rank\"; continue; fi\n"
		       "\t\tread -r rc <\"$here/end.$rank\"\n"
		       "\t\tif [ \"$rc\" != 0 ] && [ \"$code\" = 0 ]; then code=$rc stop=${stop:-TERM}; fi\n"
		       "\tdone\n"
		       "\t[ -n \"$running\" ] || exit \"$code\"\n"
		       "\tif [ -n \"$stop\" ]; then\n"
		       "\t\tfor rank in $running; do end \"$rank\"; done\n"
		       "\t\tleft=$((left - 1))\n"
		       "\tfi\n"
		       "\tsleep 1 & wait $!\n"
		       "done\n",
		       strncmp(stop, "SIG", 3) ? stop : stop + 3);
}

void pit_emit_run(const struct pit_job *j, void (*put)(const struct pit_job *j, int at, struct pit_buf *out),
		  struct pit_buf *out)
{
	bool one = j->placement.ranks == 1;

	if (one && (j->options->stop_signal_set || j->options->ending.grace))
		pit_buf_puts(out,
			     "# Without --stop-signal and --grace: one rank is not watched, and gets the signals as "
			     "they come.\n");
	if (one)
		pit_buf_puts(out, "exec");
	else
		put_start(j, out);
	for (int i = 0; i < j->placement.ranks; i++) {
		pit_buf_puts(out, one ? "" : "start");
		put(j, i, out);
		pit_buf_putc(out, '\n');
	}
	if (!one)
		put_wait(j, out);
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

static void put_rank(const struct pit_job *j, int at, struct pit_buf *out)
{
	put_priorities(j->options, out);
	put_binding(j, at, out);
	put_environment(&j->env[at], out);
	pit_emit_words(out, j->options->argv);
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
	if (pit_emit_files(j))
		pit_buf_printf(out, "ulimit -S -n %llu\n", (unsigned long long)pit_emit_files(j)->rlim_cur);
	pit_emit_run(j, put_rank, out);
	return 0;
}

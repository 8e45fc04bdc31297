/* SPDX-License-Identifier: MIT */
#include "tune/trial.h"

#include <stdarg.h>
#include <string.h>

const char *pit_trial_end_name(enum pit_trial_end end)
{
	static const char *const names[] = {
		[PIT_TRIAL_DONE] = "done",       [PIT_TRIAL_SIGNAL] = "signal",   [PIT_TRIAL_COMMAND] = "command",
		[PIT_TRIAL_FOREIGN] = "foreign", [PIT_TRIAL_REFUSED] = "refused",
	};

	return names[end];
}

void pit_pairs_free(struct pit_pairs *p)
{
	free(p->without);
	free(p->with);
	*p = (struct pit_pairs){0};
}

void pit_trial_free(struct pit_trial *t)
{
	pit_pairs_free(&t->pairs);
	free(t->stopped);
	free(t->words);
	free(t->damage);
	pit_strv_free(&t->kept);
	*t = (struct pit_trial){0};
}

__attribute__((format(printf, 3, 4))) static int stop(struct pit_bench *b, enum pit_trial_end end, const char *fmt, ...)
{
	va_list ap;

	b->end->end = end;
	va_start(ap, fmt);
	if (vasprintf(&b->end->stopped, fmt, ap) < 0)
		b->end->stopped = NULL;
	va_end(ap);
	return b->end->stopped ? 1 : -ENOMEM;
}

static int stop_for_signal(struct pit_bench *b, int signal)
{
	b->end->signal = signal;
	return stop(b, PIT_TRIAL_SIGNAL, "stopped by signal %d (%s)", signal, strsignal(signal));
}

static int run_command(struct pit_bench *b, double *ret)
{
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_measure m = {0};
	int signal = pit_interrupt_take(b->signals), rc;

	if (signal)
		return stop_for_signal(b, signal);
	b->runs++;
	rc = pit_measure(b->meter, b->signals, &m, &err);
	if (rc) {
		b->end->words = pit_take(m.words);
		rc = stop(b, PIT_TRIAL_COMMAND, "run %zu: %s", b->runs, err.text);
	} else if (m.signal) {
		rc = stop_for_signal(b, m.signal);
	} else {
		*ret = m.value;
	}
	pit_measure_free(&m);
	return rc;
}

static bool wants_none(const struct pit_setting *setting, void *arg)
{
	return false;
}

static int run_with(struct pit_bench *b, pit_lab_wanted wanted, void *arg, double *ret)
{
	struct pit_error err = PIT_ERROR_INIT;
	int rc = pit_lab_on(b->lab, wanted, arg, &err);

	if (rc)
		return stop(b, rc == -ESTALE ? PIT_TRIAL_FOREIGN : PIT_TRIAL_REFUSED, "%s", err.text);
	return run_command(b, ret);
}

int pit_bench_warm_up(struct pit_bench *b)
{
	const struct pit_trial_options *o = b->options;
	int rc = 0;

	for (int i = 0; !rc && i < o->warmup; i++) {
		double value = 0;

		rc = run_with(b, wants_none, NULL, &value);
		if (!rc && o->tell)
			o->tell(0, value, 0, o->tell_arg);
	}
	return rc;
}

static int run_pair(struct pit_bench *b, pit_lab_wanted wanted, void *arg, struct pit_pairs *p)
{
	bool with_first = p->count % 2;
	double without = 0, with = 0;
	int rc = 0;

	for (int side = 0; !rc && side < 2; side++) {
		bool with_now = (side == 0) == with_first;

		rc = run_with(b, with_now ? wanted : wants_none, arg, with_now ? &with : &without);
	}
	if (rc)
		return rc;
	p->without[p->count] = without;
	p->with[p->count] = with;
	p->count++;
	if (b->options->tell)
		b->options->tell((int)p->count, without, with, b->options->tell_arg);
	return 0;
}

static int judge(const struct pit_trial_options *o, struct pit_pairs *p)
{
	pit_auto_free double *ratio = NULL;
	int rc;

	if (p->count < 2)
		return 0;
	ratio = calloc(p->count, sizeof(*ratio));
	if (!ratio)
		return -ENOMEM;
	for (size_t i = 0; i < p->count; i++)
		ratio[i] = p->with[i] / p->without[i];
	rc = pit_bootstrap(ratio, p->count, o->confidence, &p->ratio);
	if (rc)
		return rc;
	p->judged = true;
	p->effect = pit_effect_of(&p->ratio, o->metric.pattern && o->metric.higher_is_better, o->least, o->confidence);
	return 0;
}

static int make_room(struct pit_pairs *p, size_t count)
{
	double *without = reallocarray(p->without, p->count + count, sizeof(*without)), *with;

	if (!without)
		return -ENOMEM;
	p->without = without;
	with = reallocarray(p->with, p->count + count, sizeof(*with));
	if (!with)
		return -ENOMEM;
	p->with = with;
	return 0;
}

int pit_bench_pairs(struct pit_bench *b, pit_lab_wanted wanted, void *arg, size_t count, struct pit_pairs *p)
{
	int rc = make_room(p, count), judged;

	for (size_t i = 0; !rc && i < count; i++)
		rc = run_pair(b, wanted, arg, p);
	judged = rc >= 0 ? judge(b->options, p) : 0;
	return judged < 0 ? judged : rc;
}

static int check_changes(const struct pit_plan *plan, struct pit_error *err)
{
	char why[600];

	if (!plan->changes)
		return pit_fail(err, ENOENT, "there is nothing to try: nothing would change");
	for (size_t i = 0; i < plan->changes; i++)
		if (!pit_lab_takes(&plan->change[i], why, sizeof(why)))
			return pit_fail(err, EOPNOTSUPP, "%s, so a trial cannot feel it", why);
	return 0;
}

int pit_bench_close(struct pit_bench *b, int rc, struct pit_error *err)
{
	struct pit_error damage = PIT_ERROR_INIT;
	struct pit_trial *t = b->end;

	t->restored = !pit_lab_close(pit_take(b->lab), &t->kept, &damage);
	if (!t->restored)
		t->damage = strdup(damage.text);
	if (rc < 0)
		return pit_fail(err, -rc, "%s%s%s", strerror(-rc), t->restored ? "" : "; ", damage.text);
	return 0;
}

static int try_plan(struct pit_bench *b, struct pit_tune_state *state, struct pit_place *place,
		    const struct pit_plan *plan, struct pit_error *err)
{
	struct pit_trial *t = b->end;
	int rc = pit_lab_open(state, place, plan, "trial", &b->lab, err);

	if (rc)
		return rc;
	t->txn = pit_lab_txn(b->lab);
	rc = pit_bench_warm_up(b);
	if (!rc)
		rc = pit_bench_pairs(b, NULL, NULL, (size_t)b->options->rounds, &t->pairs);
	return pit_bench_close(b, rc, err);
}

int pit_trial_run(struct pit_tune_state *state, struct pit_place *place, const struct pit_plan *plan,
		  const struct pit_trial_options *options, struct pit_trial *ret, struct pit_error *err)
{
	pit_auto_interrupt struct pit_interrupt signals = PIT_INTERRUPT_INIT;
	struct pit_trial t = {.end = PIT_TRIAL_DONE};
	struct pit_bench b = {.options = options, .signals = &signals, .end = &t};
	int rc = check_changes(plan, err);

	if (!rc)
		rc = pit_meter_new(&options->metric, options->argv, options->hear, options->hear_arg, &b.meter, err);
	if (rc)
		return rc;
	rc = pit_interrupt_hold(&signals);
	if (rc)
		rc = pit_fail(err, -rc, "cannot hold back signals: %s", strerror(-rc));
	else
		rc = try_plan(&b, state, place, plan, err);
	pit_meter_free(b.meter);
	if (rc)
		pit_trial_free(&t);
	else
		*ret = t;
	return rc;
}

bool pit_trial_is_proven(const struct pit_trial *t)
{
	return t->end == PIT_TRIAL_DONE && t->restored && t->pairs.judged && t->pairs.effect == PIT_EFFECT_BETTER;
}

int pit_trial_keep(struct pit_tune_state *state, struct pit_place *place, const struct pit_plan *plan, int *ret_txn,
		   struct pit_strv *ret_notes, struct pit_error *err)
{
	const struct pit_txn_options options = {.kind = "apply"};
	struct pit_plan again = *plan;
	struct pit_txn *txn = NULL;
	int rc;

	again.txn = pit_tune_state_next(state);
	rc = pit_txn_begin(state, place, &again, &options, &txn, err);
	if (rc)
		return rc;
	rc = pit_txn_run(txn, ret_notes, err);
	pit_txn_free(txn);
	if (!rc)
		*ret_txn = again.txn;
	return rc;
}

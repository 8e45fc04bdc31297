/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/nearest.h"
#include "cli/cmd.h"

static const struct pit_cmd *const commands[] = {
	&pit_cmd_check, &pit_cmd_topo, &pit_cmd_snapshot, &pit_cmd_explain, &pit_cmd_tune,
	&pit_cmd_run,   &pit_cmd_feed, &pit_cmd_ckpt,     &pit_cmd_weights, &pit_cmd_bench,
};

static void print_help(FILE *to)
{
	fputs("Usage: pitcrew VERB [OPTION...]\n"
	      "The operating-system side of a machine that trains or serves AI models.\n\n",
	      to);
	for (size_t i = 0; i < PIT_COUNT(commands); i++)
		fprintf(to, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
	fputs("\nTry 'pitcrew VERB --help', 'man pitcrew', or just 'pitcrew check'.\n"
	      "Exit codes: 0 clean, 1 warnings, 2 failures, 3 could not do the job, 64 usage; of run: the job's.\n",
	      to);
}

static int unknown_verb(const char *word)
{
	const char *names[PIT_COUNT(commands) + 1] = {0};
	const char *nearest;

	for (size_t i = 0; i < PIT_COUNT(commands); i++)
		names[i] = commands[i]->name;
	nearest = pit_nearest(word, names);
	if (nearest)
		fprintf(stderr, "pitcrew: '%s' is not a verb; did you mean '%s'?\n", word, nearest);
	else
		fprintf(stderr, "pitcrew: '%s' is not a verb; 'pitcrew --help' lists them\n", word);
	return PIT_EXIT_USAGE;
}

static int run_verb(const struct pit_cmd *cmd, int argc, char **argv)
{
	char name[32];

	snprintf(name, sizeof(name), "pitcrew %s", cmd->name);
	argv[1] = name;
	return cmd->run(argc - 1, argv + 1);
}

/* Whoever closed stdout must not find the report in the next file that we open. Opened for reading, so that writing
 * fails as it does on a closed one. */
static void fill_standard_files(void)
{
	int fd = open("/dev/null", O_RDONLY);

	while (fd >= 0 && fd <= STDERR_FILENO)
		fd = open("/dev/null", O_RDONLY);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	fill_standard_files();
	setlocale(LC_CTYPE, "");
	/* Both come back as errors of write(). */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	argp_err_exit_status = PIT_EXIT_USAGE;
	argp_program_version = "pitcrew " PITCREW_VERSION;
	if (argc < 2) {
		print_help(stderr);
		return PIT_EXIT_USAGE;
	}
	if (!strcmp(argv[1], "help") && argc == 3) { /* "help VERB" is "VERB --help" */
		static char help[] = "--help";

		argv[1] = argv[2];
		argv[2] = help;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		print_help(stdout);
		return PIT_EXIT_OK;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts("pitcrew " PITCREW_VERSION);
		return PIT_EXIT_OK;
	}
	for (size_t i = 0; i < PIT_COUNT(commands); i++)
		if (!strcmp(argv[1], commands[i]->name))
			return run_verb(commands[i], argc, argv);
	return unknown_verb(argv[1]);
}

/* SPDX-License-Identifier: MIT
 *
 * What an executable file is, by its first bytes, and why the kernel would not run it.
 */
#ifndef PIT_LAUNCH_PROGRAM_H
#define PIT_LAUNCH_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

#define PIT_PROGRAM_HEAD 4096 /* bytes that are looked at: a loader's name lies in the first few hundred */

enum pit_program_kind {
	PIT_PROGRAM_TEXT,   /* words without "#!": a shell runs it */
	PIT_PROGRAM_SCRIPT, /* "#!" and an interpreter */
	PIT_PROGRAM_ELF,
	PIT_PROGRAM_BINARY, /* anything else; an empty file is a text */
};

struct pit_program {
	enum pit_program_kind kind;
	char interpreter[256]; /* a script's, or the loader that an ELF file asks for; "" none or unknown */
	bool carriage_return;  /* the script's first line ends as Windows ends lines */
	const char *machine;   /* ELF: "x86_64", "aarch64", ...; NULL unknown */
	bool foreign;          /* ELF: for another machine than the one that this code was built for */
};

void pit_program_parse(const void *bytes, size_t len, struct pit_program *ret);

/* `path` is seen from the directory `dir` (AT_FDCWD: ours). -errno: it cannot be read. */
int pit_program_read(int dir, const char *path, struct pit_program *ret);

/* A sentence without full stop for the errno of a refused execve() of that file. Returns `out`. */
char *pit_program_why(int dir, const char *path, int error, char *out, size_t size);

#endif

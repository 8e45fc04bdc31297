/* SPDX-License-Identifier: MIT */
#include "launch/program.h"

#include <elf.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/cleanup.h"

#if defined(__x86_64__)
#define OUR_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define OUR_MACHINE EM_AARCH64
#elif defined(__powerpc64__)
#define OUR_MACHINE EM_PPC64
#elif defined(__riscv)
#define OUR_MACHINE EM_RISCV
#elif defined(__s390x__)
#define OUR_MACHINE EM_S390
#else
#define OUR_MACHINE EM_NONE
#endif

static const struct {
	unsigned number;
	const char *name;
} machines[] = {
	{.number = EM_X86_64, .name = "x86_64"}, {.number = EM_AARCH64, .name = "aarch64"},
	{.number = EM_386, .name = "i386"},      {.number = EM_ARM, .name = "arm"},
	{.number = EM_PPC64, .name = "ppc64"},   {.number = EM_RISCV, .name = "riscv"},
	{.number = EM_S390, .name = "s390x"},
};

static const char *machine_name(unsigned number)
{
	for (size_t i = 0; i < PIT_COUNT(machines); i++)
		if (machines[i].number == number)
			return machines[i].name;
	return NULL;
}

struct bytes {
	const unsigned char *at;
	size_t len;
	bool big; /* the number's highest byte comes first */
};

/* A number of `size` bytes; 0 beyond the end. */
static uint64_t number_at(const struct bytes *b, uint64_t offset, size_t size)
{
	uint64_t n = 0;

	if (offset > b->len || size > b->len - offset)
		return 0;
	for (size_t i = 0; i < size; i++)
		n |= (uint64_t)b->at[offset + i] << 8 * (b->big ? size - 1 - i : i);
	return n;
}

static void find_loader(const struct bytes *b, struct pit_program *ret)
{
	uint64_t table = number_at(b, offsetof(Elf64_Ehdr, e_phoff), 8);
	uint64_t rows = number_at(b, offsetof(Elf64_Ehdr, e_phnum), 2);

	for (uint64_t i = 0; i < rows && table < b->len; i++, table += sizeof(Elf64_Phdr)) {
		uint64_t at = number_at(b, table + offsetof(Elf64_Phdr, p_offset), 8);
		uint64_t len = number_at(b, table + offsetof(Elf64_Phdr, p_filesz), 8);

		if (number_at(b, table, 4) != PT_INTERP)
			continue;
		if (at < b->len && len < sizeof(ret->interpreter) && len <= b->len - at)
			snprintf(ret->interpreter, sizeof(ret->interpreter), "%.*s", (int)len, b->at + at);
		return;
	}
}

static void parse_elf(struct bytes *b, struct pit_program *ret)
{
	unsigned machine;

	ret->kind = PIT_PROGRAM_ELF;
	b->big = b->len > EI_DATA && b->at[EI_DATA] == ELFDATA2MSB;
	machine = (unsigned)number_at(b, offsetof(Elf64_Ehdr, e_machine), 2);
	ret->machine = machine_name(machine);
	ret->foreign = OUR_MACHINE != EM_NONE && machine != OUR_MACHINE;
	if (b->len > EI_CLASS && b->at[EI_CLASS] == ELFCLASS64)
		find_loader(b, ret);
}

/* As the kernel reads it: blanks, then the name up to a blank or the end of the line. */
static void parse_script(const char *text, size_t len, struct pit_program *ret)
{
	const char *end = memchr(text, '\n', len);
	size_t line = end ? (size_t)(end - text) : len, from = 2, to;

	ret->kind = PIT_PROGRAM_SCRIPT;
	ret->carriage_return = line && text[line - 1] == '\r';
	while (from < line && (text[from] == ' ' || text[from] == '\t'))
		from++;
	for (to = from; to < line && !strchr(" \t\r", text[to]);) /* strchr() finds the NUL too */
		to++;
	if (to - from < sizeof(ret->interpreter))
		snprintf(ret->interpreter, sizeof(ret->interpreter), "%.*s", (int)(to - from), text + from);
}

void pit_program_parse(const void *bytes, size_t len, struct pit_program *ret)
{
	struct bytes b = {.at = bytes, .len = len};
	const char *end = memchr(bytes, '\n', len);

	*ret = (struct pit_program){.kind = PIT_PROGRAM_TEXT};
	if (len >= SELFMAG && !memcmp(bytes, ELFMAG, SELFMAG))
		parse_elf(&b, ret);
	else if (len >= 2 && !memcmp(bytes, "#!", 2))
		parse_script(bytes, len, ret);
	else if (memchr(bytes, '\0', end ? (size_t)(end - (const char *)bytes) : len))
		ret->kind = PIT_PROGRAM_BINARY;
}

int pit_program_read(int dir, const char *path, struct pit_program *ret)
{
	char head[PIT_PROGRAM_HEAD];
	pit_auto_close int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t n = fd < 0 ? -1 : pread(fd, head, sizeof(head), 0);

	if (n < 0)
		return -errno;
	pit_program_parse(head, (size_t)n, ret);
	return 0;
}

/* Something that it needs is not there: the file itself lies where it should. */
static void why_absent(const struct pit_program *p, char *out, size_t size)
{
	if (p->kind == PIT_PROGRAM_SCRIPT && p->carriage_return)
		snprintf(out, size,
			 "its first line asks for '%s' and a carriage return, as Windows ends lines; "
			 "convert the file",
			 p->interpreter);
	else if (p->kind == PIT_PROGRAM_SCRIPT)
		snprintf(out, size, "its first line asks for the interpreter '%s', which is not there", p->interpreter);
	else if (p->kind == PIT_PROGRAM_ELF && *p->interpreter)
		snprintf(out, size, "it needs the loader '%s', which is not there", p->interpreter);
	else
		snprintf(out, size, "%s", strerror(ENOENT));
}

static void why_no_program(const struct pit_program *p, char *out, size_t size)
{
	if (p->kind == PIT_PROGRAM_ELF && p->foreign)
		snprintf(out, size, "it is a program for %s, this machine is %s",
			 p->machine ? p->machine : "another machine", machine_name(OUR_MACHINE));
	else if (p->kind == PIT_PROGRAM_ELF)
		snprintf(out, size, "it is damaged, or a kind of program that this kernel does not run");
	else if (p->kind == PIT_PROGRAM_SCRIPT)
		snprintf(out, size, "the interpreter '%s' of its first line is no program", p->interpreter);
	else
		snprintf(out, size, "it is neither a program nor a script");
}

static void why_denied(int dir, const char *path, const struct pit_program *p, char *out, size_t size)
{
	pit_auto_close int fd = openat(dir, path, O_PATH | O_CLOEXEC);
	struct statvfs fs;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) || fstatvfs(fd, &fs))
		snprintf(out, size, "%s", strerror(EACCES));
	else if (S_ISDIR(st.st_mode))
		snprintf(out, size, "it is a directory");
	else if (!S_ISREG(st.st_mode))
		snprintf(out, size, "it is no regular file");
	else if (fs.f_flag & ST_NOEXEC)
		snprintf(out, size, "it lies on a file system that is mounted noexec");
	else if (faccessat(dir, path, X_OK, AT_EACCESS))
		snprintf(out, size, "it is not executable (chmod +x)");
	else if (p->kind == PIT_PROGRAM_SCRIPT)
		snprintf(out, size, "the interpreter '%s' of its first line may not be executed", p->interpreter);
	else
		snprintf(out, size, "%s", strerror(EACCES));
}

char *pit_program_why(int dir, const char *path, int error, char *out, size_t size)
{
	struct pit_program p = {.kind = PIT_PROGRAM_BINARY};
	int rc = pit_program_read(dir, path, &p);

	if (error == ENOENT && !rc)
		why_absent(&p, out, size);
	else if (error == ENOEXEC && !rc)
		why_no_program(&p, out, size);
	else if (error == EACCES)
		why_denied(dir, path, &p, out, size);
	else if (error == E2BIG)
		snprintf(out, size, "arguments and environment are too long");
	else if (error == ETXTBSY)
		snprintf(out, size, "somebody is writing to it");
	else
		snprintf(out, size, "%s", strerror(error));
	return out;
}

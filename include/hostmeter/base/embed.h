/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * embed: a file of the source tree inside the program.
 *
 * EMBED(page_html, "page/index.html"); at the top level of a source file, for a path from the top of the tree, where
 * make builds: page_html is then an array of the file's bytes with a NUL after them, and page_html_len is how many they
 * are without it. The Makefile finds these lines, so that a change of the file compiles the source file anew.
 *
 * The symbols are global because C refers to them as extern: MIPS works out the address of a local symbol in another
 * way, and the mixture of both gave another place in the program. They are hidden, so that they need no relocation at
 * run time, and aligned, because an instruction of s390x reaches even addresses only.
 */
#pragma once

#include <stddef.h>

#if __SIZEOF_SIZE_T__ == 8
#define EMBED_SIZE ".quad "
#else
#define EMBED_SIZE ".long "
#endif

#define EMBED_BEGIN(name) ".balign 16\n.globl " #name "\n.hidden " #name "\n.type " #name ", %object\n" #name ":\n"
#define EMBED_END(name) ".size " #name ", . - " #name "\n"
#define EMBED_FILE(name, file) EMBED_BEGIN(name) ".incbin \"" file "\"\n1:\n.byte 0\n" EMBED_END(name)
#define EMBED_LEN(name, len) EMBED_BEGIN(len) EMBED_SIZE "1b - " #name "\n" EMBED_END(len)

#define EMBED(name, file)                                                                                              \
	__asm__(".pushsection .rodata\n" EMBED_FILE(name, file) EMBED_LEN(name, name##_len) ".popsection\n");          \
	extern const char name[];                                                                                      \
	extern const size_t name##_len

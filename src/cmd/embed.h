/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * embed: a file of the tree inside the program, as a string. The file is named from the top of the tree, where make
 * builds, and make must know that the object depends on it.
 */
#ifndef HOSTMETER_CMD_EMBED_H
#define HOSTMETER_CMD_EMBED_H

/* Global, because C refers to it as such; hidden, so that the reference needs no table of other objects' symbols. */
#define EMBED(symbol, file)                                                                                            \
	__asm__(".pushsection .rodata\n.globl " #symbol "\n.hidden " #symbol "\n" #symbol ":\n.incbin \"" file         \
		"\"\n.byte 0\n.popsection\n");                                                                         \
	extern const char symbol[]

#endif

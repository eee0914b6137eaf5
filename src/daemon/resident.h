/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resident: what lies in memory without being of use is given back.
 *
 * Most of what a start touches of its libraries is never touched again: the loader's symbol tables, GnuTLS's self
 * tests, the parsers of options and files. Those pages stay mapped and count as resident, and code that is mapped is
 * the last that a kernel short of memory takes. A router has little of it.
 */
#ifndef HOSTMETER_DAEMON_RESIDENT_H
#define HOSTMETER_DAEMON_RESIDENT_H

/*
 * Unmaps the read-only pages of all shared libraries; the next use of one brings it back from the page cache, or from
 * the file. To be called once, when all that only a start needs is done. Nothing that was written is touched,
 * relocations neither; objects with relocated code (DT_TEXTREL) are left alone. madvise(2) MADV_DONTNEED,
 * dl_iterate_phdr(3).
 */
void resident_release_libraries(void);

/*
 * Gives back what malloc() keeps for later: with glibc half of what a shrunk table needed, in 2.5 ms at the most
 * (malloc_trim(3)). Other libraries keep little.
 */
void resident_trim_heap(void);

#endif

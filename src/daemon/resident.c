/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resident.h"

#include <link.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* Code that was relocated when it was loaded is not what the file holds: it would be lost. */
static bool has_text_relocations(const struct dl_phdr_info *object)
{
	for (int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];

		if (segment->p_type != PT_DYNAMIC)
			continue;
		for (const ElfW(Dyn) *entry = (const void *)(object->dlpi_addr + segment->p_vaddr);
			entry->d_tag != DT_NULL; entry++) {
			if (entry->d_tag == DT_TEXTREL || (entry->d_tag == DT_FLAGS && entry->d_un.d_val & DF_TEXTREL))
				return true;
		}
	}
	return false;
}

static int release(struct dl_phdr_info *object, size_t size, void *ctx)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	(void)size;
	(void)ctx;
	/*
	 * The program itself has no name. What it is made of is in use, and there may be a debugger's breakpoints in
	 * it.
	 */
	if (!object->dlpi_name || !object->dlpi_name[0] || has_text_relocations(object))
		return 0;
	for (int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
		uintptr_t begin = object->dlpi_addr + segment->p_vaddr;

		/* Relocated constants (PT_GNU_RELRO) lie in segments that are writable here. */
		if (segment->p_type != PT_LOAD || segment->p_flags & PF_W)
			continue;
		/* The loader maps whole pages. Where the kernel refuses (its own vdso), the pages just stay. */
		madvise((void *)(begin & ~(page - 1)), segment->p_memsz + (begin & (page - 1)), MADV_DONTNEED);
	}
	return 0;
}

void resident_release_libraries(void)
{
	dl_iterate_phdr(release, NULL);
}

void resident_trim_heap(void)
{
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}

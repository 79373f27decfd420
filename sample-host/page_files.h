/* SPDX-License-Identifier: Apache-2.0
 *
 * page_files.h: the files of sample-host/page, compiled in as they are, each NUL-terminated. Static.
 */
#ifndef PAGE_FILES_H
#define PAGE_FILES_H

extern const char page_html[];
extern const char page_js[];
extern const char page_css[];
extern const char page_svg[];

#endif

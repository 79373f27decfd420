/* SPDX-License-Identifier: Apache-2.0 */
#include "page_files.h"

/* C11 cannot include a file as data, the assembler can. The path is that from the folder in which make runs. */
#define FILE_AS(name, path)                                                                                            \
    __asm__(".pushsection .rodata\n"                                                                                   \
            ".global " name "\n" name ": .incbin \"" path "\"\n"                                                       \
            ".byte 0\n"                                                                                                \
            ".popsection\n")

FILE_AS("page_html", "sample-host/page/page.html");
FILE_AS("page_js", "sample-host/page/page.js");
FILE_AS("page_css", "sample-host/page/page.css");
FILE_AS("page_svg", "sample-host/page/page.svg");

/* SPDX-License-Identifier: Apache-2.0
 *
 * The report's page: report/page.html of the home folder, with all that it names put in.
 */
#ifndef CS_CLI_REPORT_PAGE_H
#define CS_CLI_REPORT_PAGE_H

#include "gen/files.h"

/* Fills in *page, whose bytes are the caller's to free: where page.html has ${data}, it has `data`, a JSON text, fit
 * for a script element; where it has ${name}, the file of that name beside page.html. False with *error. */
bool cs_report_page(const char *home, const char *data, cs_bytes *page, cs_error *error);

#endif

/*
 * The line in which documents are captured: a job that was taken is durable (health/index/event_jobs.h), and jobs are
 * carried out one after the other, in their order, by one worker at a time. A document's events move what they move on
 * the chain, are sealed into the home, and recorded: all of them, or none.
 *
 * Inside health/gateway. Threads: any.
 */
#ifndef HEALTH_GATEWAY_EPCIS_LINE_H
#define HEALTH_GATEWAY_EPCIS_LINE_H

#include "health/epcis/problem.h"
#include "health/gateway/epcis_server.h"
#include "health/index/event_jobs.h"

struct epcis_line *epcis_line_new(struct epcis_server *server);
/* No further job is begun; those that wait go on at the next start. */
void epcis_line_stop(struct epcis_line *line);
void epcis_line_free(struct epcis_line *line); /* NULL is allowed */

/* What became of a job, for whoever waits: its problem, if it failed. */
struct epcis_line_end {
	bool success;
	enum epcis_exception exception;
	char detail[512];
};
/* Takes a job, and wakes the line. STATUS_BUSY: too many wait. */
MUST_USE enum status epcis_line_take(struct epcis_line *line, struct event_job *job, struct err *err);
/* The same, and waits for its end. STATUS_TIMEOUT: it goes on. */
MUST_USE enum status epcis_line_take_and_wait(
    struct epcis_line *line, struct event_job *job, struct epcis_line_end *end, struct err *err);
/* Goes on with what waits: after a start, or if a worker could not be had. Documents that came into the home by other
 * ways (received from partners, captured by commands) are taken in, too, ever so often. */
void epcis_line_wake(struct epcis_line *line);

#endif

/*
 * Answers that come in pieces. The library asks for a piece when the client has taken the last one; while the source
 * has nothing, the connection is suspended (PHASE_PAUSED), and http_more, the end of the client or the server's stop
 * resumes it. All of them change the phase under the server's lock, so that none resumes twice and none is missed.
 */
#include "net/http_connection.h"

#define PIECE_BYTES ((size_t)32 << 10)

void http_stream_resume(struct http_connection *connection) {
	http_connection_enter(connection, PHASE_SENDING, http_server_policy(connection->server)->idle_timeout_ms);
	MHD_resume_connection(connection->exchange->mhd);
}

void http_stream_poke(struct http_connection *connection) {
	http_server_lock(connection->server);
	if (connection->phase == PHASE_PAUSED)
		http_stream_resume(connection);
	else
		connection->exchange->is_poked = true;
	http_server_unlock(connection->server);
}

void http_stream_end(struct http_connection *connection) {
	connection->exchange->is_broken = true;
	http_stream_resume(connection);
}

/* False: there is a reason to read again at once. */
static bool pause_stream(struct http_connection *connection) {
	struct served_exchange *exchange = connection->exchange;
	http_server_lock(connection->server);
	const bool may =
	    !exchange->is_poked && connection->phase == PHASE_SENDING && !http_server_is_draining(connection->server);
	exchange->is_poked = false;
	if (may) {
		connection->phase = PHASE_PAUSED;
		MHD_suspend_connection(exchange->mhd);
	}
	http_server_unlock(connection->server);
	return may;
}

static ssize_t read_piece(void *context, uint64_t position, char *out, size_t size) {
	struct http_connection *connection = context;
	struct served_exchange *exchange = connection->exchange;
	const struct http_source *source = &exchange->shown.response.source;
	(void)position;
	while (!exchange->is_broken && connection->phase == PHASE_SENDING) {
		const bool was_draining = http_server_is_draining(connection->server);
		size_t len = 0;
		switch (source->read(source->context, &len, (uint8_t *)out, size)) {
		case HTTP_SOURCE_MORE:
			BUG_ON(len == 0 || len > size);
			http_connection_enter(
			    connection, PHASE_SENDING, http_server_policy(connection->server)->idle_timeout_ms);
			return (ssize_t)len;
		case HTTP_SOURCE_END: return MHD_CONTENT_READER_END_OF_STREAM;
		case HTTP_SOURCE_FAILED: return MHD_CONTENT_READER_END_WITH_ERROR;
		case HTTP_SOURCE_WAIT:
			if (was_draining) return MHD_CONTENT_READER_END_OF_STREAM;
			if (pause_stream(connection)) return 0;
			break;
		}
	}
	return MHD_CONTENT_READER_END_WITH_ERROR;
}

struct MHD_Response *http_stream_response(struct http_connection *connection) {
	return MHD_create_response_from_callback(
	    connection->exchange->shown.response.source.length, PIECE_BYTES, read_piece, connection, NULL);
}

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

/* Of an answer that is whole already, and goes out compressed. */
static enum http_source_state read_body(struct served_exchange *exchange, size_t *len, uint8_t *out, size_t size) {
	const struct bytes body = buf_view(&exchange->shown.response.body);
	const struct bytes piece = bytes_slice(body, exchange->sent_bytes, size);
	if (piece.len == 0) return HTTP_SOURCE_END;
	memcpy(out, piece.data, piece.len);
	exchange->sent_bytes += piece.len;
	*len = piece.len;
	return HTTP_SOURCE_MORE;
}

/* What is plain; while the server drains, nothing is waited for. */
static enum http_source_state read_plain(void *context, size_t *len, uint8_t *out, size_t size) {
	struct http_connection *connection = context;
	const struct http_source *source = &connection->exchange->shown.response.source;
	if (!source->read) return read_body(connection->exchange, len, out, size);
	const bool was_draining = http_server_is_draining(connection->server);
	const enum http_source_state state = source->read(source->context, len, out, size);
	BUG_ON(state == HTTP_SOURCE_MORE && (*len == 0 || *len > size));
	return state == HTTP_SOURCE_WAIT && was_draining ? HTTP_SOURCE_END : state;
}

static enum http_source_state read_coded(struct http_connection *connection, size_t *len, uint8_t *out, size_t size) {
	const struct http_source plain = {.read = read_plain, .context = connection};
	struct gzip *gzip = connection->exchange->gzip;
	return gzip ? gzip_read(gzip, &plain, len, out, size) : read_plain(connection, len, out, size);
}

static ssize_t read_piece(void *context, uint64_t position, char *out, size_t size) {
	struct http_connection *connection = context;
	struct served_exchange *exchange = connection->exchange;
	(void)position;
	while (!exchange->is_broken && connection->phase == PHASE_SENDING) {
		size_t len = 0;
		switch (read_coded(connection, &len, (uint8_t *)out, size)) {
		case HTTP_SOURCE_MORE:
			http_connection_enter(
			    connection, PHASE_SENDING, http_server_policy(connection->server)->idle_timeout_ms);
			return (ssize_t)len;
		case HTTP_SOURCE_END: return MHD_CONTENT_READER_END_OF_STREAM;
		case HTTP_SOURCE_FAILED: return MHD_CONTENT_READER_END_WITH_ERROR;
		case HTTP_SOURCE_WAIT:
			if (pause_stream(connection)) return 0;
			break;
		}
	}
	return MHD_CONTENT_READER_END_WITH_ERROR;
}

struct MHD_Response *http_stream_response(struct http_connection *connection) {
	const struct served_exchange *exchange = connection->exchange;
	return MHD_create_response_from_callback(
	    exchange->gzip ? HTTP_LENGTH_UNKNOWN : exchange->shown.response.source.length, PIECE_BYTES, read_piece,
	    connection, NULL);
}

#include "health/fhir/regex_tree.h"

enum op { OP_CLASS, OP_SPLIT, OP_JUMP, OP_SAVE, OP_BEGIN, OP_END, OP_WORD_EDGE, OP_NO_WORD_EDGE, OP_MATCH };

struct instruction {
	enum op op;
	uint32_t x, y; /* SPLIT: the choice that is tried first, and the other; JUMP: the place; SAVE: the slot */
	const struct regex_class *class; /* CLASS */
};

struct fhir_regex {
	struct instruction *program;
	uint32_t count;
	struct regex_names names;
};

/* --- making the program --- */

struct compiler {
	struct instruction *program; /* on the heap until it is whole */
	uint32_t count, capacity;
	struct err *err;
};

static enum status emit(struct compiler *c, const struct regex_tree *tree);

static enum status put(struct compiler *c, struct instruction instruction) {
	if (c->count == FHIR_REGEX_PROGRAM_MAX)
		return err_set(c->err, STATUS_LIMIT, "regular expression: it needs more than %u instructions",
		    FHIR_REGEX_PROGRAM_MAX);
	if (c->count == c->capacity) {
		c->capacity = c->capacity ? 2 * c->capacity : 64;
		c->program = mem_realloc(c->program, c->capacity * sizeof *c->program);
	}
	c->program[c->count++] = instruction;
	return STATUS_OK;
}

static enum status put_op(struct compiler *c, enum op op, uint32_t x) {
	return put(c, (struct instruction){.op = op, .x = x});
}

static void set_split(struct compiler *c, uint32_t at, uint32_t out, bool is_lazy) {
	c->program[at].x = is_lazy ? out : at + 1;
	c->program[at].y = is_lazy ? at + 1 : out;
}

static enum status emit_repeat(struct compiler *c, const struct regex_tree *tree) {
	for (uint32_t i = 0; i < tree->min; i++) TRY(emit(c, tree->first));
	uint32_t split = c->count;
	if (tree->max == REGEX_ENDLESS) {
		TRY(put_op(c, OP_SPLIT, 0));
		TRY(emit(c, tree->first));
		TRY(put_op(c, OP_JUMP, split));
		set_split(c, split, c->count, tree->is_lazy);
		return STATUS_OK;
	}
	if (tree->max == tree->min) return STATUS_OK;
	for (uint32_t i = tree->min; i < tree->max; i++) {
		TRY(put_op(c, OP_SPLIT, 0));
		TRY(emit(c, tree->first));
	}
	/* Every copy has the same size, and each may be the last. */
	uint32_t size = (c->count - split) / (tree->max - tree->min);
	for (; split < c->count; split += size) set_split(c, split, c->count, tree->is_lazy);
	return STATUS_OK;
}

#define NO_JUMP UINT32_MAX

static enum status emit_or(struct compiler *c, const struct regex_tree *tree) {
	uint32_t last_jump = NO_JUMP; /* those behind alternatives, linked through x until their end is known */
	for (const struct regex_tree *child = tree->first; child; child = child->next) {
		uint32_t split = c->count;
		if (child->next) TRY(put_op(c, OP_SPLIT, split + 1));
		TRY(emit(c, child));
		if (!child->next) break;
		TRY(put_op(c, OP_JUMP, last_jump));
		last_jump = c->count - 1;
		c->program[split].y = c->count;
	}
	while (last_jump != NO_JUMP) {
		uint32_t before = c->program[last_jump].x;
		c->program[last_jump].x = c->count;
		last_jump = before;
	}
	return STATUS_OK;
}

/* As deep as groups and repetitions are nested, which the parser bounds. */
static enum status emit(struct compiler *c, const struct regex_tree *tree) {
	switch (tree->kind) {
	case REGEX_CLASS: return put(c, (struct instruction){.op = OP_CLASS, .class = &tree->class});
	case REGEX_THEN:
		for (const struct regex_tree *child = tree->first; child; child = child->next) TRY(emit(c, child));
		return STATUS_OK;
	case REGEX_OR: return emit_or(c, tree);
	case REGEX_REPEAT: return emit_repeat(c, tree);
	case REGEX_GROUP:
		TRY(put_op(c, OP_SAVE, 2 * tree->group));
		TRY(emit(c, tree->first));
		return put_op(c, OP_SAVE, 2 * tree->group + 1);
	case REGEX_BEGIN: return put_op(c, OP_BEGIN, 0);
	case REGEX_END: return put_op(c, OP_END, 0);
	case REGEX_WORD_EDGE: return put_op(c, OP_WORD_EDGE, 0);
	case REGEX_NO_WORD_EDGE: return put_op(c, OP_NO_WORD_EDGE, 0);
	}
	return STATUS_INTERNAL;
}

enum status fhir_regex_compile(
    const struct fhir_regex **out, struct arena *arena, struct bytes pattern, struct err *err) {
	struct fhir_regex *regex = arena_zalloc(arena, 1, sizeof *regex);
	struct compiler c = {.err = err};
	struct regex_tree *tree;
	TRY(regex_parse(&tree, &regex->names, arena, pattern, err));
	enum status status = emit(&c, tree);
	if (status == STATUS_OK) status = put_op(&c, OP_SAVE, 1);
	if (status == STATUS_OK) status = put_op(&c, OP_MATCH, 0);
	if (status == STATUS_OK) {
		struct bytes copy = arena_dup(arena, bytes_make(c.program, c.count * sizeof *c.program));
		regex->program = (struct instruction *)(uintptr_t)copy.data;
		regex->count = c.count;
		*out = regex;
	}
	mem_free(c.program);
	return status;
}

uint32_t fhir_regex_group(const struct fhir_regex *regex, struct bytes name) {
	for (uint32_t i = 1; i < FHIR_REGEX_GROUPS_MAX; i++)
		if (name.len && bytes_equal(regex->names.name[i], name)) return i;
	return 0;
}

/* --- running it: all threads of the automaton at once, in the order of their preference --- */

#define SLOTS (2 * FHIR_REGEX_GROUPS_MAX)

struct threads {
	uint32_t *place; /* of each thread in the program */
	uint32_t *index; /* of each place among the threads: there if place[index[p]] == p */
	size_t *slots;   /* SLOTS a thread */
	uint32_t count;
};

struct todo { /* a place to go to, or a slot to be restored */
	uint32_t place;
	uint32_t slot; /* SLOTS: none */
	size_t value;
};

struct search {
	const struct fhir_regex *regex;
	struct bytes text;
	struct threads now, next;
	struct todo *todo;
	uint32_t slot_count; /* 0 if nobody wants the groups */
	uint64_t steps;      /* taken */
};

static struct threads threads_make(struct arena *arena, uint32_t count, uint32_t slots) {
	struct threads out = {.place = arena_alloc(arena, count * sizeof *out.place),
	    .index = arena_zalloc(arena, count, sizeof *out.index),
	    .slots = arena_alloc(arena, (size_t)count * slots * sizeof *out.slots)};
	return out;
}

static bool threads_have(const struct threads *threads, uint32_t place) {
	uint32_t index = threads->index[place];
	return index < threads->count && threads->place[index] == place;
}

static bool is_word_at(struct bytes text, size_t at) {
	if (at >= text.len) return false;
	uint8_t c = text.data[at];
	return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '_';
}

static bool holds(const struct search *s, enum op op, size_t at) {
	bool is_edge = is_word_at(s->text, at) != (at > 0 && is_word_at(s->text, at - 1));
	return op == OP_BEGIN ? at == 0 : op == OP_END ? at == s->text.len : op == OP_WORD_EDGE ? is_edge : !is_edge;
}

/* Follows everything from `place` that takes no character. `slots` is as before when it returns. */
static void follow(struct search *s, struct threads *to, uint32_t place, size_t at, size_t *slots) {
	uint32_t depth = 0;
	s->todo[depth++] = (struct todo){.place = place, .slot = SLOTS};
	while (depth) {
		struct todo todo = s->todo[--depth];
		if (todo.slot < SLOTS) {
			slots[todo.slot] = todo.value;
			continue;
		}
		s->steps++;
		if (threads_have(to, todo.place)) continue;
		const struct instruction *in = &s->regex->program[todo.place];
		to->index[todo.place] = to->count;
		to->place[to->count] = todo.place;
		memcpy(to->slots + (size_t)to->count * s->slot_count, slots, s->slot_count * sizeof *slots);
		to->count++;
		if (in->op == OP_SPLIT) {
			s->todo[depth++] = (struct todo){.place = in->y, .slot = SLOTS};
			s->todo[depth++] = (struct todo){.place = in->x, .slot = SLOTS};
		} else if (in->op == OP_JUMP) {
			s->todo[depth++] = (struct todo){.place = in->x, .slot = SLOTS};
		} else if (in->op == OP_SAVE) {
			if (s->slot_count) {
				s->todo[depth++] = (struct todo){.slot = in->x, .value = slots[in->x]};
				slots[in->x] = at;
			}
			s->todo[depth++] = (struct todo){.place = todo.place + 1, .slot = SLOTS};
		} else if (in->op != OP_CLASS && in->op != OP_MATCH && holds(s, in->op, at)) {
			s->todo[depth++] = (struct todo){.place = todo.place + 1, .slot = SLOTS};
		}
	}
}

static bool class_has(const struct regex_class *class, uint32_t c) {
	for (uint32_t i = 0; i < class->count; i++)
		if (c >= class->ranges[i].first && c <= class->ranges[i].last) return !class->is_negated;
	return class->is_negated;
}

/* One character for all threads; true if one of them matches at `at`, which ends those behind it. */
static bool advance(struct search *s, size_t at, size_t behind, uint32_t c, size_t *best) {
	for (uint32_t i = 0; i < s->now.count; i++) {
		const struct instruction *in = &s->regex->program[s->now.place[i]];
		size_t *slots = s->now.slots + (size_t)i * s->slot_count;
		s->steps++;
		if (in->op == OP_MATCH) {
			memcpy(best, slots, s->slot_count * sizeof *best);
			return true;
		}
		if (in->op == OP_CLASS && at < s->text.len && class_has(in->class, c))
			follow(s, &s->next, s->now.place[i] + 1, behind, slots);
	}
	return false;
}

static enum status search(
    struct search *s, uint64_t steps_max, bool *is_found, size_t *best, size_t from, struct err *err) {
	*is_found = false;
	for (size_t at = from, behind; at <= s->text.len; at = behind) {
		size_t slots[SLOTS];
		uint32_t c = 0;
		behind = at;
		if (at < s->text.len) c = regex_next(s->text, &behind);
		if (behind == at) behind++; /* the end of the text */
		for (size_t i = 0; i < SLOTS; i++) slots[i] = SIZE_MAX;
		slots[0] = at;
		if (!*is_found) follow(s, &s->now, 0, at, slots);
		if (!s->now.count) break;
		*is_found |= advance(s, at, behind, c, best);
		if (*is_found && !s->slot_count) break;
		struct threads done = s->now;
		s->now = s->next;
		s->next = done;
		s->next.count = 0;
		if (s->steps > steps_max)
			return err_set(err, STATUS_LIMIT, "regular expression: it takes more steps than are allowed");
	}
	return STATUS_OK;
}

static enum status run(bool *is_found, size_t *best, struct search *s, uint64_t *steps, struct arena *scratch,
    size_t from, struct err *err) {
	struct arena_mark mark = arena_mark(scratch);
	uint32_t count = s->regex->count;
	s->now = threads_make(scratch, count, s->slot_count);
	s->next = threads_make(scratch, count, s->slot_count);
	s->todo = arena_alloc(scratch, (2 * (size_t)count + 2) * sizeof *s->todo);
	enum status status = search(s, *steps, is_found, best, from, err);
	*steps -= s->steps < *steps ? s->steps : *steps;
	arena_rewind(scratch, mark);
	return status;
}

enum status fhir_regex_has(bool *is_found, uint64_t *steps, struct arena *scratch, const struct fhir_regex *regex,
    struct bytes text, struct err *err) {
	struct search s = {.regex = regex, .text = text};
	size_t unused[SLOTS];
	return run(is_found, unused, &s, steps, scratch, 0, err);
}

enum status fhir_regex_search(struct fhir_regex_match *match, uint64_t *steps, struct arena *scratch,
    const struct fhir_regex *regex, struct bytes text, size_t from, struct err *err) {
	struct search s = {.regex = regex, .text = text, .slot_count = SLOTS};
	size_t slots[SLOTS];
	for (size_t i = 0; i < SLOTS; i++) slots[i] = SIZE_MAX;
	TRY(run(&match->is_found, slots, &s, steps, scratch, from, err));
	for (size_t i = 0; i < FHIR_REGEX_GROUPS_MAX; i++) {
		match->from[i] = slots[2 * i];
		match->to[i] = slots[2 * i + 1];
	}
	return STATUS_OK;
}

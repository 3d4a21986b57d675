#include "health/fhir/narrative.h"

#include "tests/unit.h"

#define DIV(content) "<div xmlns=\"http://www.w3.org/1999/xhtml\">" content "</div>"

static bool is_good(const char *text) {
	const char *why;
	bool good = fhir_narrative_check(bytes_text(text), &why);
	assert_true(good || why != NULL);
	return good;
}

static void a_narrative_is_a_div_with_something_to_read(void **state) {
	(void)state;
	assert_true(is_good(DIV("text")));
	assert_true(is_good(" " DIV("<p class='a'>a &lt; b &#160; &#xA0;<br/></p><!-- note -->") "\n"));
	assert_true(is_good(DIV("<img src=\"a.png\" alt=\"a\"/>")));
	assert_true(is_good(DIV("<table><tr><td>\xc3\xa9</td></tr></table>")));
}

static void an_empty_one_is_well_formed_and_said_to_be_empty(void **state) {
	(void)state;
	const char *why;
	assert_true(fhir_narrative_check(BYTES_LITERAL(DIV("x")), &why));
	assert_null(why);
	assert_true(fhir_narrative_check(BYTES_LITERAL(DIV(" \n")), &why));
	assert_non_null(why);
}

static void what_is_not_well_formed_is_refused(void **state) {
	(void)state;
	static const char *const bad[] = {"", "text", "<div>text</div>",
	    "<p xmlns=\"http://www.w3.org/1999/xhtml\">x</p>", DIV("<p>x"), DIV("x</p>"), DIV("<b><i>x</b></i>"),
	    DIV("&reg;"), DIV("<p id=\"a\">x</p><p id=\"a\">y</p>"), DIV("a & b"), DIV("&#x;"), DIV("<p class=a>x</p>"),
	    DIV("<p class>x</p>"), DIV("<p a='<'>x</p>"), DIV("<p a='x>x</p>"), DIV("x") "y", DIV("x") "<p/>",
	    "<!DOCTYPE div>" DIV("x"), DIV("<!-- x"), DIV("<![CDATA[x]]>"), DIV("<?php x ?>"), "<", "<div",
	    "<div xmlns=\"http://www.w3.org/1999/xhtml\""};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (is_good(bad[i])) fail_msg("%s is taken", bad[i]);
}

static void what_acts_is_refused(void **state) {
	(void)state;
	static const char *const bad[] = {DIV("<script>x</script>"), DIV("<p onclick='x()'>x</p>"),
	    DIV("<form>x</form>"), DIV("<a href='javascript:x()'>x</a>"), DIV("<a href=' JavaScript:x()'>x</a>"),
	    DIV("<iframe>x</iframe>"), DIV("<object>x</object>"), DIV("<style>x</style>"), DIV("<link/>x")};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (is_good(bad[i])) fail_msg("%s is taken", bad[i]);
}

static void depth_is_bounded(void **state) {
	(void)state;
	char text[20000] = "<div xmlns=\"http://www.w3.org/1999/xhtml\">";
	for (int i = 0; i < 1000; i++) strcat(text, "<b>");
	assert_false(is_good(text));
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_narrative_is_a_div_with_something_to_read),
	    cmocka_unit_test(an_empty_one_is_well_formed_and_said_to_be_empty),
	    cmocka_unit_test(what_is_not_well_formed_is_refused),
	    cmocka_unit_test(what_acts_is_refused),
	    cmocka_unit_test(depth_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

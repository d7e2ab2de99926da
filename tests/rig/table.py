"""Sentence → cases. tests/test_rig.py sees to it that every sentence has a case, and every case a sentence."""

from __future__ import annotations

from collections.abc import Mapping

from tests.rig import bodies, documents, failing, hosts, moving, network, rhythm, validators
from tests.rig.stage import Case

POLITE: Mapping[str, tuple[Case, ...]] = {
    "ETag and Last-Modified are opaque: sent back byte for byte, both if both came": (
        validators.odd_validators_come_back_byte_for_byte,
        validators.an_etag_alone_comes_back_alone,
        validators.a_date_alone_comes_back_alone,
    ),
    "Validators are stored anew on every 200 and 304": (
        validators.validators_are_stored_anew_on_every_200,
        validators.validators_are_stored_anew_on_every_304,
        validators.a_body_behind_a_304_is_nothing,
    ),
    "Validators are never taken from an error or from a body that did not parse": (
        validators.validators_of_an_error_are_not_taken,
        validators.validators_of_a_body_that_does_not_parse_are_not_taken,
        validators.validators_of_a_broken_transfer_are_not_taken,
        validators.validators_of_a_document_that_is_cut_off_are_not_taken,
        validators.a_304_that_was_not_asked_for_is_no_document,
    ),
    "Validators are dropped every 8 days": (validators.validators_are_dropped_after_eight_days,),
    "No cookies, no Referer, no added query, GET only": (
        validators.cookies_are_not_kept,
        validators.a_redirect_tells_no_referer_and_brings_no_cookie,
        validators.the_query_is_sent_as_it_was_written,
        validators.it_only_ever_gets,
    ),
    "User-Agent: product, version, contact": (validators.the_user_agent_names_product_version_and_contact,),
    "every: that interval exactly, lengthened only by what the server asks": (
        rhythm.every_is_kept_exactly,
        rhythm.every_is_never_shortened,
    ),
    "Without every: the source's own rhythm between floor and ceiling, 1 h until it is known": (
        rhythm.an_unknown_rhythm_is_an_hour_and_a_fixed_minute_at_most,
        rhythm.a_quiet_source_is_asked_at_its_own_rhythm,
        rhythm.a_busy_source_is_not_asked_below_the_floor,
        rhythm.a_sleeping_source_is_not_left_beyond_the_ceiling,
    ),
    "max-age, Expires, ttl, sy:updatePeriod and Retry-After lengthen": (
        rhythm.max_age_lengthens,
        rhythm.max_age_of_a_304_lengthens,
        rhythm.max_age_counts_from_when_the_answer_was_made,
        rhythm.no_cache_takes_the_lifetime_back,
        rhythm.expires_lengthens,
        rhythm.expires_counts_on_the_servers_own_clock,
        rhythm.ttl_lengthens,
        rhythm.update_period_lengthens,
        rhythm.a_wish_that_comes_without_a_new_entry_counts,
        failing.retry_after_beside_a_document_lengthens_and_is_obeyed_even_by_all,
        failing.retry_after_never_shortens,
        failing.retry_after_beside_a_document_that_cannot_be_read_lengthens,
        failing.retry_after_beside_a_document_that_does_not_come_whole_is_obeyed_even_by_all,
        failing.retry_after_beside_a_redirect_is_obeyed_even_by_all,
        failing.seconds_may_begin_with_noughts,
    ),
    "Absurd values are ignored; nothing holds longer than 31 days": (
        rhythm.absurd_lifetimes_are_ignored,
        rhythm.a_wish_holds_for_a_month_at_the_most,
        failing.an_absurd_retry_after_is_ignored,
    ),
    "skipHours and skipDays are obeyed": (
        rhythm.hours_to_skip_are_skipped,
        rhythm.hours_to_skip_are_skipped_by_a_poll_that_comes_late,
        rhythm.hours_to_skip_are_skipped_after_a_failure_too,
        rhythm.days_to_skip_are_skipped,
    ),
    "Jitter is at most 1 minute, from a hash of the source's name": (
        rhythm.an_unknown_rhythm_is_an_hour_and_a_fixed_minute_at_most,
        rhythm.times_lie_apart_and_a_restart_does_not_gather_them,
    ),
    "A restart never polls early or all at once": (
        rhythm.a_restart_polls_nothing_early,
        rhythm.times_lie_apart_and_a_restart_does_not_gather_them,
    ),
    "429 and 503 are obeyed": (
        failing.retry_after_in_seconds_is_obeyed_even_by_all,
        failing.retry_after_as_a_date_is_obeyed,
        failing.a_wait_that_was_asked_for_is_no_back_off,
    ),
    "Other failures: first one interval, then twice as long each time, never over a day, never giving up": (
        failing.the_first_failure_waits_one_interval_and_each_further_one_twice_as_long,
        failing.nothing_listens,
        failing.no_failure_waits_longer_than_a_day,
        failing.retry_after_of_an_error_does_not_shorten_the_back_off,
        failing.a_source_that_recovers_keeps_its_interval_and_forgets,
    ),
    "410 stops the source and says so; enabled: false is never asked": (
        failing.a_410_stops_the_source_and_says_so,
        failing.a_410_behind_a_redirect_is_a_failure_like_any_other,
        failing.a_disabled_source_is_never_asked,
    ),
    "All of it survives a restart; --all overrides the rhythm, not Retry-After, 410 or enabled: false": (
        failing.retry_after_in_seconds_is_obeyed_even_by_all,
        failing.retry_after_beside_a_document_lengthens_and_is_obeyed_even_by_all,
        failing.retry_after_beside_a_304_is_obeyed_even_by_all,
        failing.a_410_stops_the_source_and_says_so,
        failing.a_disabled_source_is_never_asked,
        failing.the_first_failure_waits_one_interval_and_each_further_one_twice_as_long,
    ),
    "301 and 308 are remembered once the target has parsed in two polls, and current_url shows it": (
        moving.a_permanent_redirect_is_remembered_after_two_documents,
        moving.a_document_that_did_not_change_counts_as_read,
        moving.a_target_that_never_sent_a_document_is_not_remembered,
        moving.a_move_to_what_is_no_feed_is_never_remembered,
        moving.a_target_that_changes_begins_anew,
        moving.a_move_that_is_taken_back_is_forgotten,
        moving.a_remembered_address_that_dies_is_given_up_for_the_configured_one,
        moving.a_move_to_another_machine_is_remembered_too,
        moving.what_is_said_to_every_machine_is_said_after_a_move_too,
    ),
    "302, 303 and 307 are never remembered": (
        moving.a_temporary_redirect_is_never_remembered,
        moving.where_a_redirect_leads_elsewhere_all_is_asked_for,
    ),
    "A mixed chain is remembered only to its first temporary hop": (
        moving.a_mixed_chain_is_remembered_to_its_first_temporary_hop,
    ),
    "At most per_host requests at once to a host, host_gap between starts": (
        hosts.requests_to_one_host_start_one_after_the_other,
        hosts.a_slow_host_is_not_asked_more_at_once,
        hosts.redirects_keep_their_distance_too,
    ),
    "gzip, br and zstd are offered": (validators.gzip_br_and_zstd_are_offered, bodies.each_coding_is_undone),
}

SAFE: Mapping[str, tuple[Case, ...]] = {
    "Addresses that are not public are refused after DNS, on every hop, before any byte is sent": (
        network.no_redirect_leads_into_a_private_network,
        network.a_private_address_of_the_configuration_is_refused,
        network.a_name_is_judged_by_the_address_that_it_has,
        network.the_last_of_many_hops_is_checked_as_well,
    ),
    "Only http and https, at most 10 hops": (
        network.only_http_and_https_are_followed,
        network.ten_hops_are_followed_and_no_more,
        network.a_circle_of_redirects_is_noticed,
    ),
    "Credentials never cross hosts, never show in output, log or export": (
        network.credentials_stay_with_their_host_and_are_never_shown,
    ),
    "Body limit after decompression, stacked encodings included; a bomb costs little": (
        bodies.no_body_is_larger_than_the_limit_however_it_is_packed,
        bodies.a_damaged_coding_is_a_failure,
    ),
    "One total deadline, slow drip included": (
        network.a_slow_drip_ends_at_the_deadline,
        network.silence_ends_at_the_deadline,
    ),
    "Header limits, and nothing but HTTP": (
        network.header_fields_have_limits,
        network.garbage_instead_of_http_is_a_failure,
        network.a_body_after_its_end_is_ignored,
        network.careless_http_whose_meaning_is_plain_is_read,
        network.a_truncated_body_is_not_taken_for_the_document,
    ),
    "No external entity, DTD, XInclude or stylesheet is fetched or expanded": (
        documents.nothing_that_a_document_names_is_fetched_or_expanded,
    ),
    "Billion laughs and quadratic blow-up end in milliseconds": (documents.entities_do_not_explode,),
    "A document that hangs or kills its worker fails alone": (
        documents.a_document_that_would_hang_its_worker_costs_no_more_than_its_size,
        documents.entries_by_which_nothing_can_be_known_harm_nobody,
    ),
    "Only http, https, mailto in links, no handlers, forms, scripts, styles, tracking pixels; titles are text": (
        documents.no_markup_of_a_publisher_does_anything,
    ),
    "Control characters, surrogates, noncharacters, unbalanced bidi marks never reach store or output": (
        documents.what_cannot_be_printed_is_not_stored,
        validators.a_validator_is_shown_in_ascii,
    ),
    "Newlines never forge a log line": (documents.no_reason_forges_a_line,),
}

EXACT: Mapping[str, tuple[Case, ...]] = {
    "An HTML page where a feed was expected: failing, with the feed addresses that it names": (
        documents.a_page_instead_of_a_feed_is_failing_and_tells_the_feeds_that_it_names,
    ),
    "An empty or shrunken feed deletes nothing and is no failure": (
        documents.an_empty_feed_deletes_nothing_and_is_no_failure,
        documents.a_shrunken_feed_deletes_nothing,
        documents.a_feed_that_begins_empty_is_well,
        validators.what_was_read_is_known_again,
    ),
}

TABLE = {**POLITE, **SAFE, **EXACT}

/* The English word list of BIP-39: 2048 words, sorted; the first four letters identify a word. Threads: constant. */
#ifndef ENVELOPE_BIP39_ENGLISH_H
#define ENVELOPE_BIP39_ENGLISH_H

#define BIP39_WORDS 2048

extern const char *const bip39_english[BIP39_WORDS];

#endif

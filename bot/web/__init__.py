"""Our web pages: sign-in, requests, answers, links of accounts. They work without scripts; a GET changes nothing."""

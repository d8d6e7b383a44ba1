"""The service kit: what every process of every office has in common.

Where things stand:

- `build.build_service`: an office's FastAPI application; `build.Probe`: what `/readyz` asks.
- `permissions`: `Permission`, `PUBLIC`, `permit`, `permission_of`, `walk`.
- `principals.Principal`, `tokens.TokenVerifier`, `tokens.LocalIssuer`, `tickets`: who asks.
- `orders.OrderForm`, `orders.answer_response`: from a request to the desk and back.
- `paging`: lists by cursor. `problems.findings_of`: what is wrong with a form, in words.
- `words`: `words_for`, `load_words`, `language_of`, `message_id`, `untranslated`.
"""

"""story.section_f — a whole trial under Section F, played over HTTP by everybody who takes part; keeps no secret.

Sees what the parties see, a mail server of its own and a test clock; must never see a live authority.
"""

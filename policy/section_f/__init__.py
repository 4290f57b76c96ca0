"""policy.section_f — Section F as data: small rules with clause, code and severity over frozen facts.

No rule grants: granting is at the SSC's sole discretion (F2.18). Must never see a store, a clock or HTTP.
"""

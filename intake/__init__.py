"""intake — reads what strangers send: DUIS messages, CSV, workbooks, evidence. Bytes in, plain values out.

Must never see a store or a key, nor let UPRN, postcode or meter point numbers past the door.
"""

assert_close=None

"""What tests share: cases without the bot, a desk over HTTP, a composer with X's rules of length."""
